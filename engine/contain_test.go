package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/supervise"
)

// trouble comes up once, at one spot in the user's code.
type trouble struct {
	spot  string
	fail  func(x *trouble) error
	hangs bool
	begun atomic.Bool
	// isRefusal says that the codec of a stage's state panics at a commit.
	isRefusal bool

	over    chan struct{} // what hangs returns
	release func()
}

// at is called at every spot.
func (x *trouble) at(spot string) error {
	if spot != x.spot || !x.begun.CompareAndSwap(false, true) {
		return nil
	}
	return x.fail(x)
}

func newTrouble(spot, way string) *trouble {
	x := &trouble{spot: spot, over: make(chan struct{})}
	x.release = sync.OnceFunc(func() { close(x.over) })
	x.fail, x.hangs = waysToFail[way], way == "hang" || way == "hang to the end"
	x.isRefusal = (spot == "append state" || spot == "append keyed state") && !x.hangs && way != "Goexit"
	return x
}

// waysToFail are all but an error, which not every function can return.
var waysToFail = map[string]func(*trouble) error{
	"panic":           func(*trouble) error { panic("no") },
	"panic nil":       func(*trouble) error { panic(nil) }, //nolint:govet // that is the case
	"panic error":     func(*trouble) error { panic(io.ErrUnexpectedEOF) },
	"Goexit":          func(*trouble) error { runtime.Goexit(); return nil },
	"nil map":         func(*trouble) error { writeTo(nil); return nil },
	"index":           func(*trouble) error { var s []int; return fmt.Errorf("%d", s[len(name())]) },
	"hang":            func(x *trouble) error { <-x.over; return nil }, // until the stage goes on without it
	"hang to the end": func(x *trouble) error { <-x.over; panic("late") },
}

// troubledCodec has trouble in its methods: when it writes a value that is due,
// and when it has read one that is.
type troubledCodec[T any] struct {
	engine.Codec[T]
	x        *trouble
	what     string
	writeDue func(T) bool
	readDue  func(T) bool
}

func (c troubledCodec[T]) Append(dst []byte, value T) ([]byte, error) {
	if c.writeDue(value) {
		if err := c.x.at("append " + c.what); err != nil {
			return dst, err
		}
	}
	return c.Codec.Append(dst, value)
}

func (c troubledCodec[T]) Decode(data []byte) (T, error) {
	value, err := c.Codec.Decode(data)
	if err == nil && c.readDue(value) {
		err = c.x.at("decode " + c.what)
	}
	return value, err
}

func always[T any](T) bool    { return true }
func seventeen(v uint64) bool { return v == 17 }

// troubledSpot says which stage a spot is in, and how often that is restarted.
type troubledSpot struct {
	stage    string
	restarts uint64
}

var troubledSpots = map[string]troubledSpot{
	"source":             {"numbers", 1},
	"append stream":      {"numbers", 1},
	"append place":       {"numbers", 1},
	"decode place":       {"numbers", 2}, // one for an error that leads there
	"append references":  {"letters", 1},
	"decode references":  {"letters", 2},
	"decode stream":      {"worker", 1},
	"message":            {"worker", 1},
	"timer":              {"worker", 1},
	"start":              {"worker", 1},
	"before commit":      {"worker", 1},
	"end":                {"worker", 1},
	"stop":               {"worker", 1}, // for the error that leads there
	"append state":       {"worker", 1},
	"decode state":       {"worker", 2},
	"append output":      {"worker", 1},
	"key":                {"keyed", 1},
	"append keyed state": {"keyed", 1},
	"decode keyed state": {"keyed", 2},
	"keyed end":          {"keyed", 1},
	"batch":              {"bulk", 1},
	"check":              {"bulk", 1},
}

// Whatever goes wrong wherever in the user's code, only that stage restarts,
// and nothing is lost or doubled.
func TestTroubleAnywhereIsContained(t *testing.T) {
	t.Parallel()
	for spot, where := range troubledSpots {
		for way := range waysToFail {
			if testing.Short() && way != "Goexit" && way != "hang" {
				continue // much the same, and many
			}
			t.Run(spot+"/"+way, func(t *testing.T) {
				t.Parallel()
				x := newTrouble(spot, way)
				defer x.release()
				p := newTroubledPipeline(t, x)
				dir := t.TempDir()
				config := testConfig(t, dir)
				config.Sync = time.Minute
				config.OnEvent = func(e supervise.Event) {
					if e.Kind == supervise.Restarting && e.Child == where.stage && x.begun.Load() && way == "hang" {
						x.release()
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				if err := p.Run(ctx, config); err != nil || !p.Status().Completed {
					t.Fatalf("run: %v, %+v", err, p.Status())
				}
				p.check(t, where)
				p.checkOutputs(t, dir)
			})
		}
	}
}

// troubledPipeline has every spot:
//
//	numbers -> worker -> bulk -> sink      letters -> keyed, other
type troubledPipeline struct {
	*engine.Pipeline
	x       *trouble
	failed  atomic.Bool // the error that leads to the spot
	waited  atomic.Bool // for the health check
	got     *collected[uint64]
	letters *collected[uint64]
}

const troubledCount = 60

func newTroubledPipeline(t *testing.T, x *trouble) *troubledPipeline {
	p := &troubledPipeline{Pipeline: engine.New("contain"), x: x, got: collect[uint64](t), letters: collect[uint64](t)}
	ahead := engine.Capacity{Messages: 10} // so that there are some commits
	numbers := p.declareNumbers().WithCapacity(ahead)
	engine.Sink(p, "sink", p.declareBulk(p.declareWorker(numbers)), p.got.sink)
	letters := p.declareLetters().WithCapacity(ahead)
	p.declareKeyed(letters)
	engine.Sink(p, "other", letters, p.letters.sink)
	return p
}

func (p *troubledPipeline) check(t *testing.T, where troubledSpot) {
	t.Helper()
	for _, s := range p.Status().Stages {
		restarts := uint64(0)
		if s.Name == where.stage {
			restarts = where.restarts
			if p.x.isRefusal {
				restarts = 0 // the state is encoded once more, for fewer calls
			}
		}
		if s.Starts != restarts+1 && !(p.x.hangs && s.Name == where.stage && s.Starts > restarts) {
			t.Errorf("%s was started %d times: %+v", s.Name, s.Starts, s)
		}
		if s.DeadLetters+s.Dropped > 0 {
			t.Errorf("messages were given up: %+v", s)
		}
		if isLeft := s.Name == where.stage && p.x.hangs && p.x.spot != "check"; (s.Abandoned > 0) != isLeft {
			t.Errorf("%s: %d functions were left behind", s.Name, s.Abandoned)
		}
	}
	if !p.x.begun.Load() {
		t.Error("there was no trouble")
	}
}

func (p *troubledPipeline) checkOutputs(t *testing.T, dir string) {
	t.Helper()
	p.got.must(upTo(troubledCount + 1)) // the last one is of the End hook
	p.letters.must(upTo(troubledCount))
	lookInto(t, dir, func(inspector *inspect.Inspector) {
		if s := inspectedState[workerState](t, inspector, "worker")[""]; s.N != troubledCount {
			t.Errorf("the worker's state is %+v", s)
		}
		for key, n := range inspectedState[uint64](t, inspector, "keyed") {
			if n != troubledCount/5+100 { // the End hook adds 100
				t.Errorf("the state of key %s is %d", key, n)
			}
		}
	})
}

// scope gives the stage of the spot what its trouble needs.
func (p *troubledPipeline) scope(stage string) engine.Scope {
	scope := p.With(fast, engine.Attempts(1000))
	if p.x.hangs && troubledSpots[p.x.spot].stage == stage {
		return scope.With(engine.Deadline(50*time.Millisecond), engine.StopTimeout(20*time.Millisecond), engine.RestartLimit(-1, 0))
	}
	return scope
}

// leadTo fails once, for spots that are only passed after a failure.
func (p *troubledPipeline) leadTo(spots ...string) error {
	if slices.Contains(spots, p.x.spot) && p.failed.CompareAndSwap(false, true) {
		return errors.New("this leads there")
	}
	return nil
}

func (p *troubledPipeline) declareNumbers() *engine.Stream[uint64] {
	fn := func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 17 {
			if err := p.leadTo("decode place"); err != nil {
				return err
			}
			if p.x.spot == "source" && !p.x.begun.Load() {
				emit(1000)
				at.Next = 50
				return p.x.at("source")
			}
		}
		return count(troubledCount, 1)(ctx, at, emit)
	}
	place := troubledCodec[Place]{engine.JSON[Place](), p.x, "place", func(at Place) bool { return at.Next >= 17 }, always[Place]}
	return engine.Source(p.scope("numbers"), "numbers", fn, engine.StateCodec[Place, uint64](place)).
		WithCodec(troubledCodec[uint64]{engine.DefaultCodec[uint64](), p.x, "stream", seventeen, seventeen})
}

// references is a state whose copies share memory with it.
type references struct{ Seen []uint64 }

func (p *troubledPipeline) declareLetters() *engine.Stream[uint64] {
	fn := func(_ context.Context, s *references, emit engine.Emit[uint64]) error {
		next := uint64(len(s.Seen))
		if next == troubledCount {
			return io.EOF
		}
		if next == 17 {
			if err := p.leadTo("decode references"); err != nil {
				return err
			}
		}
		emit(next)
		s.Seen = append(s.Seen, next)
		return nil
	}
	codec := troubledCodec[references]{engine.JSON[references](), p.x, "references",
		func(s references) bool { return len(s.Seen) >= 17 }, always[references]}
	return engine.Source(p.scope("letters"), "letters", fn, engine.StateCodec[references, uint64](codec))
}

type workerState struct{ N, Ticks int }

func (p *troubledPipeline) declareWorker(numbers *engine.Stream[uint64]) *engine.Stream[uint64] {
	type emitter = engine.Emit[uint64]
	x := p.x
	message := func(_ context.Context, s *workerState, m engine.Message[uint64], emit emitter) error {
		if m.Value == 17 && x.spot == "timer" && s.Ticks == 0 {
			return engine.Hold
		}
		s.N++
		emit(m.Value)
		if m.Value == 17 {
			if err := p.leadTo("decode state", "stop"); err != nil {
				return err
			}
			return x.at("message")
		}
		return nil
	}
	codec := troubledCodec[workerState]{engine.JSON[workerState](), x, "state",
		func(s workerState) bool { return s.N >= 17 }, always[workerState]}
	parts := []engine.Part[workerState, uint64]{
		engine.On(numbers, message),
		engine.StateCodec[workerState, uint64](codec),
		engine.Hooks[workerState, uint64]{
			Start: func(context.Context, *workerState, emitter) error { return x.at("start") },
			BeforeCommit: func(_ context.Context, s *workerState) error {
				if s.N >= 17 {
					return x.at("before commit")
				}
				return nil
			},
			End: func(_ context.Context, _ *workerState, emit emitter) error {
				emit(troubledCount)
				return x.at("end")
			},
			Stop: func(context.Context, *workerState) error { return x.at("stop") },
		},
	}
	if x.spot == "timer" {
		parts = append(parts, engine.Every(time.Millisecond, func(_ context.Context, s *workerState, _ time.Time, _ emitter) error {
			s.Ticks++
			return x.at("timer")
		}))
	}
	return engine.Stage(p.scope("worker"), "worker", parts...).
		WithCodec(troubledCodec[uint64]{engine.DefaultCodec[uint64](), x, "output", seventeen, func(uint64) bool { return false }})
}

func (p *troubledPipeline) declareBulk(worked *engine.Stream[uint64]) *engine.Stream[uint64] {
	batch := func(ctx context.Context, _ *struct{}, batch []engine.Message[uint64], emit engine.Emit[uint64]) error {
		for _, m := range batch {
			emit(m.Value)
			if m.Value == 17 && p.x.spot == "check" && p.waited.CompareAndSwap(false, true) {
				<-ctx.Done()
				return ctx.Err()
			}
			if m.Value == 17 {
				if err := p.x.at("batch"); err != nil {
					return err
				}
			}
		}
		return nil
	}
	scope := p.scope("bulk").With(engine.BatchSize(7))
	if p.x.spot == "check" {
		check := supervise.Check{Interval: time.Millisecond, Threshold: 1, Probe: func(context.Context) supervise.Health {
			if p.waited.Load() {
				_ = p.x.at("check")
			}
			return supervise.Well()
		}}
		if p.x.hangs {
			check.Timeout = 20 * time.Millisecond
		}
		scope = p.With(fast, engine.BatchSize(7), engine.HealthChecks(check), engine.RestartLimit(-1, 0))
	}
	return engine.Stage(scope, "bulk", engine.OnBatch(worked, batch))
}

func (p *troubledPipeline) declareKeyed(letters *engine.Stream[uint64]) {
	key := func(v uint64) string {
		if v == 17 {
			_ = p.x.at("key")
		}
		return fmt.Sprint(v % 5)
	}
	codec := troubledCodec[uint64]{engine.DefaultCodec[uint64](), p.x, "keyed state", func(n uint64) bool { return n >= 5 }, always[uint64]}
	engine.Sink(p.scope("keyed"), "keyed", engine.KeyBy(letters, key),
		func(_ context.Context, n *uint64, m engine.Message[uint64]) error {
			*n++
			if m.Value == 17 {
				return p.leadTo("decode keyed state")
			}
			return nil
		},
		engine.StateCodec[uint64, engine.None](codec),
		engine.Hooks[uint64, engine.None]{End: func(ctx context.Context, n *uint64, _ engine.Emit[engine.None]) error {
			*n += 100
			if engine.CurrentKey(ctx) == "3" {
				return p.x.at("keyed end")
			}
			return nil
		}})
}
