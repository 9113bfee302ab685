package stages_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"penstock/engine"
	"penstock/stages"
)

func beatsOf(beats *[]time.Time) engine.Emit[time.Time] {
	return func(at time.Time, _ ...engine.EmitOption) { *beats = append(*beats, at) }
}

func TestHeartbeatKeepsTheBeatWithoutDrift(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		beat := stages.Heartbeat(time.Second, 5)
		start := time.Now()
		var state stages.HeartbeatState
		var got []time.Time
		var err error
		for err == nil {
			err = beat(t.Context(), &state, beatsOf(&got))
			time.Sleep(300 * time.Millisecond) // the work between two calls
		}
		if err != io.EOF {
			t.Fatalf("ended with %v, want io.EOF", err)
		}
		if len(got) != 5 {
			t.Fatalf("%d beats, want 5", len(got))
		}
		for i, at := range got {
			if want := start.Add(time.Duration(i) * time.Second); !at.Equal(want) {
				t.Errorf("beat %d came %v after the start, want %v", i, at.Sub(start), want.Sub(start))
			}
		}
		if err := beat(t.Context(), &state, beatsOf(&got)); err != io.EOF || len(got) != 5 {
			t.Errorf("after the end: error %v and %d beats", err, len(got))
		}
	})
}

func TestHeartbeatResumesWithoutABurst(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ down, first time.Duration }{
		"a short break":  {400 * time.Millisecond, 600 * time.Millisecond},
		"a long break":   {time.Hour, 0},
		"clock set back": {-time.Hour, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				beat := stages.Heartbeat(time.Second, 0)
				state := stages.HeartbeatState{Beats: 3, Next: time.Now().Add(time.Second - test.down)}
				state = saved(t, state)
				start := time.Now()
				var got []time.Time
				for range 3 {
					if err := beat(t.Context(), &state, beatsOf(&got)); err != nil {
						t.Fatal(err)
					}
				}
				for i, at := range got {
					if want := test.first + time.Duration(i)*time.Second; at.Sub(start) != want {
						t.Errorf("beat %d came after %v, want %v", i, at.Sub(start), want)
					}
				}
				if state.Beats != 6 {
					t.Errorf("counted %d beats, want 6", state.Beats)
				}
			})
		})
	}
}

func TestHeartbeatStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		state := stages.HeartbeatState{Beats: 1, Next: time.Now().Add(time.Hour)}
		var got []time.Time
		ended := make(chan error, 1)
		go func() { ended <- stages.Heartbeat(time.Hour, 0)(ctx, &state, beatsOf(&got)) }()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || len(got) != 0 || state.Beats != 1 {
			t.Errorf("error %v, %d beats, state %+v", err, len(got), state)
		}
	})
}

func TestHeartbeatRefusesAnIntervalThatIsNotPositive(t *testing.T) {
	t.Parallel()
	p := engine.New("beats")
	engine.Discard(engine.Source(p, "beats", stages.Heartbeat(0, 1)))
	_, err := runUntil(t, t.Context(), p, t.TempDir())
	wantError(t, err, "heartbeat every 0s", "positive")
}

func TestHeartbeatInAPipelineCountsEveryBeatOnceAcrossFaults(t *testing.T) {
	t.Parallel()
	const n = 40
	beat := stages.Heartbeat(time.Millisecond, n)
	p := engine.New("beats")
	beats := engine.Source(p.With(fast), "beats",
		func(ctx context.Context, s *stages.HeartbeatState, emit engine.Emit[time.Time]) error {
			err := beat(ctx, s, emit)
			if s.Beats%10 == 7 && engine.Attempt(ctx) == 1 {
				panic("on purpose, after the beat")
			}
			return err
		})
	var got []time.Time
	engine.Sink(p, "keep", beats, func(_ context.Context, _ *struct{}, m engine.Message[time.Time]) error {
		got = append(got, m.Value)
		return nil
	})
	status := run(t, p, t.TempDir())
	if len(got) != n || !slices.IsSortedFunc(got, time.Time.Compare) {
		t.Errorf("got %d beats, want %d in order: %v", len(got), n, got)
	}
	if s := stageStatus(t, status, "beats"); s.Panics != 4 || s.Out != n {
		t.Errorf("beats: %+v, want 4 panics and %d out", s, n)
	}
}
