package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// A call that is put off is undone, which may decode the state that is committed: what goes wrong there is no fault of
// the message, and costs a restart of the stage as elsewhere.
func TestTroubleWhilePutOffIsContained(t *testing.T) {
	t.Parallel()
	for answer, said := range map[string]error{"snooze": engine.Snooze(time.Millisecond), "unavailable": engine.Unavailable(errors.New("away"))} {
		for way := range waysToFail {
			t.Run(answer+"/"+way, func(t *testing.T) {
				t.Parallel()
				x := newTrouble("decode putOff", way)
				defer x.release()
				p, got := newPutOffPipeline(t, x, said)
				config := testConfig(t, t.TempDir())
				config.Sync = time.Minute
				config.OnEvent = func(e supervise.Event) {
					if e.Kind == supervise.Restarting && e.Child == "worker" && way == "hang" {
						x.release()
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := p.Run(ctx, config); err != nil || !p.Status().Completed {
					t.Fatalf("run: %v, %+v", err, p.Status())
				}
				got.must(upTo(troubledCount))
				s := stageStatus(t, p.Status(), "worker")
				if !x.begun.Load() || s.Starts != 2 && !(x.hangs && s.Starts > 2) || s.DeadLetters+s.Dropped > 0 {
					t.Errorf("begun %v; worker: %+v", x.begun.Load(), s)
				}
			})
		}
	}
}

// newPutOffPipeline puts a message off twice. The second time it is alone, and the state is put back at once.
func newPutOffPipeline(t *testing.T, x *trouble, said error) (*engine.Pipeline, *collected[uint64]) {
	var answers atomic.Int32
	p, got := engine.New("put-off"), collect[uint64](t)
	scope := p.With(fast, engine.Attempts(1)) // so a message that is blamed becomes a dead letter
	if x.hangs {
		scope = scope.With(engine.Deadline(50*time.Millisecond), engine.StopTimeout(20*time.Millisecond), engine.RestartLimit(-1, 0))
	}
	codec := troubledCodec[references]{engine.JSON[references](), x, "putOff",
		func(references) bool { return false }, func(references) bool { return answers.Load() == 2 }}
	worked := engine.Stage(scope, "worker", engine.StateCodec[references, uint64](codec),
		engine.On(engine.Source(p, "numbers", count(troubledCount, 1)), func(_ context.Context, s *references, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			s.Seen = append(s.Seen, m.Value)
			emit(m.Value)
			if m.Value == 17 && answers.Load() < 2 {
				answers.Add(1)
				return said
			}
			return nil
		}))
	engine.Sink(p, "sink", worked, got.sink)
	return p, got
}
