package doctor

import (
	"context"
	"testing"

	"penstock/engine/channel"
	"penstock/engine/frame"
)

// stored are the frames of a channel.
type stored []frame.Frame

func (s stored) Replay(_ context.Context, from uint64, fn func(channel.Record) error) error {
	for k := range s {
		if sequence := uint64(k) + 1; sequence >= from {
			if err := fn(channel.Record{Sequence: sequence, Frame: &s[k]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// A reader may have taken a message before its producer knows that it is stored. One that is not stored is lost.
func TestWhatIsStoredCountsAndNotWhatItsProducerKnows(t *testing.T) {
	t.Parallel()
	for taken, isWrong := range map[uint64]bool{11: false, 12: false, 13: false, 14: true} {
		r := Running{Stages: []RunningStage{
			{Name: "source", Channel: stored{
				{Commit: 1, Sections: []frame.Section{{Base: 0, Count: 12}, {Branch: "other", Base: 0, Count: 90}}},
				{Commit: 2, Sections: []frame.Section{{Base: 12, Count: 1}, {Branch: "other", Base: 90, Count: 1}}},
			}},
			{Name: "sink", Channel: stored{}, IsEnded: func() bool { return false }, Inputs: []RunningInput{{
				Stream: "source", Producer: "source", Taken: func() uint64 { return taken }, Written: func() uint64 { return 12 },
			}}},
		}}
		l := &inspection{stages: map[string]*channelFacts{"source": newFacts(), "sink": newFacts()}}
		if err := l.runningPositions(t.Context(), r, r.Stages[1]); err != nil || l.isWrong() != isWrong {
			t.Errorf("taken %d: wrong %t, %v: %v", taken, l.isWrong(), err, l.sorted())
		}
	}
}
