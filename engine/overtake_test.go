package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// fold is a state that knows the order of what it has seen; folds is one that
// is not undone by a copy.
type fold struct{ Count, Hash uint64 }

type folds struct{ Seen []uint64 }

func (f *fold) add(v uint64) { f.Count, f.Hash = f.Count+1, f.Hash*31+v+1 }

// delayEach is a delay between attempts.
func delayEach(d time.Duration) engine.Option {
	return engine.AttemptDelay(supervise.Backoff{Initial: d, Max: d, Jitter: -1})
}

// A key whose message waits for its next attempt holds up nobody but itself.
func TestOtherKeysOvertakeAFailingOne(t *testing.T) {
	t.Parallel()
	const n, keys = 2_000, 100
	dir := t.TempDir()
	var mu sync.Mutex
	var order []uint64
	var meanwhile observe.Status
	wire := func() *engine.Pipeline {
		p := engine.New("overtake")
		numbers := engine.Source(p, "numbers", count(n, 100))
		scope := p.With(engine.Attempts(1_000_000), delayEach(time.Millisecond))
		out := engine.Stage(scope, "worker", engine.On(engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v % keys) }),
			func(ctx context.Context, s *fold, m engine.Message[uint64], emit engine.Emit[uint64]) error {
				s.add(m.Value)
				emit(m.Value)
				if m.Value%keys == 7 && engine.InfoOf(ctx).In < n-n/keys {
					return errors.New("not before all the others are committed")
				}
				if m.Value == 7 {
					meanwhile = p.Status()
				}
				return nil
			}))
		engine.Sink(p, "sink", out, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, m.Value)
			return nil
		})
		return p
	}
	run(t, wire(), dir)
	if len(order) != n {
		t.Fatalf("%d messages came through", len(order))
	}
	if s := stageStatus(t, meanwhile, "worker"); s.In != n-n/keys || s.Waiting != n/keys || s.Lag != n/keys {
		t.Errorf("while they waited: %+v", s)
	}
	next := map[uint64]uint64{}
	for at, v := range order {
		if want := v%keys + keys*next[v%keys]; v != want {
			t.Fatalf("key %d: %d comes where %d should", v%keys, v, want)
		}
		next[v%keys]++
		if v%keys == 7 && at < n-n/keys {
			t.Fatalf("%d came at %d", v, at)
		}
	}
	checkFolds(t, committedState[fold](t, dir, "worker"), func(v uint64) bool { return true }, n, keys)
}

func checkFolds(t *testing.T, got map[string]fold, taken func(v uint64) bool, n, keys uint64) {
	t.Helper()
	want := map[string]fold{}
	for v := range n {
		if taken(v) {
			f := want[fmt.Sprint(v%keys)]
			f.add(v)
			want[fmt.Sprint(v%keys)] = f
		}
	}
	for key, f := range want {
		if got[key] != f {
			t.Errorf("key %s has %+v, want %+v", key, got[key], f)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
}

// script says how often each message fails, and how often it did.
type script struct {
	mu     sync.Mutex
	fails  map[uint64]int // 3 and more: for ever
	failed map[uint64]int
	calls  int
	stopAt int
	stop   context.CancelFunc
}

func (s *script) call(v uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls++; s.calls == s.stopAt {
		s.stop()
	}
	if s.failed[v] >= s.fails[v] {
		return nil
	}
	if s.failed[v]++; v%2 == 0 {
		panic("it is scripted")
	}
	return errors.New("it is scripted")
}

// Random failures, of which some are for ever, and random interruptions: every
// message takes effect once, in the order of its key, and fails exactly as often
// as it may.
func TestOvertakingWithInterruptions(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 4))
			if seed%2 == 0 {
				overtaking(t, r, func(s *fold, v uint64) { s.add(v) }, func(s fold) fold { return s })
				return
			}
			overtaking(t, r, func(s *folds, v uint64) { s.Seen = append(s.Seen, v) }, func(s folds) (f fold) {
				for _, v := range s.Seen {
					f.add(v)
				}
				return f
			})
		})
	}
}

func overtaking[S any](t *testing.T, r *rand.Rand, add func(*S, uint64), see func(S) fold) {
	const n = 400
	keys := 1 + r.Uint64N(20)
	s := &script{fails: map[uint64]int{}, failed: map[uint64]int{}}
	for range r.IntN(80) {
		s.fails[r.Uint64N(n)] = 1 + r.IntN(3)
	}
	delay := time.Duration(r.IntN(4)) * time.Millisecond
	got := collect[uint64](t)
	wire := func() *engine.Pipeline {
		p := engine.New("overtake")
		numbers := engine.Source(p, "numbers", count(n, 1+r.Uint64N(50)))
		out := engine.Stage(p.With(delayEach(delay), fast), "worker",
			engine.On(engine.KeyBy(numbers, func(v uint64) string { return fmt.Sprint(v % keys) }),
				func(_ context.Context, state *S, m engine.Message[uint64], emit engine.Emit[uint64]) error {
					add(state, m.Value)
					emit(m.Value)
					return s.call(m.Value)
				}))
		engine.Sink(p, "sink", out, got.sink)
		return p
	}
	dir := t.TempDir()
	for runs := 0; ; runs++ {
		ctx, cancel := bounded(t)
		s.mu.Lock()
		s.stop, s.stopAt = cancel, s.calls+1+r.IntN(n)
		s.mu.Unlock()
		p := wire()
		err := p.Run(ctx, quiet(dir))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if p.Status().Completed {
			break
		}
		if runs > 100 {
			t.Fatal("it does not end")
		}
	}
	taken := func(v uint64) bool { return s.fails[v] < 3 }
	states := map[string]fold{}
	for key, state := range committedState[S](t, dir, "worker") {
		states[key] = see(state)
	}
	checkFolds(t, states, taken, n, keys)
	checkOrder(t, got.all(), taken, n, keys)
	for v := range uint64(n) {
		if want := min(s.fails[v], 3); s.failed[v] != want {
			t.Errorf("%d failed %d times, want %d", v, s.failed[v], want)
		}
	}
	var dead []uint64
	for v := range uint64(n) {
		if !taken(v) {
			dead = append(dead, v)
		}
	}
	checkLetters(t, dir, dead)
}

func checkOrder(t *testing.T, got []uint64, taken func(v uint64) bool, n, keys uint64) {
	t.Helper()
	byKey := map[uint64][]uint64{}
	for _, v := range got {
		byKey[v%keys] = append(byKey[v%keys], v)
	}
	for key := range keys {
		var want []uint64
		for v := key; v < n; v += keys {
			if taken(v) {
				want = append(want, v)
			}
		}
		if !slices.Equal(byKey[key], want) {
			t.Errorf("key %d: %v, want %v", key, byKey[key], want)
		}
	}
}

func checkLetters(t *testing.T, dir string, want []uint64) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), quiet(dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inspector.Close() }()
	letters, _, err := inspector.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	err = letters.Select(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
		if len(l.Attempts) != 3 {
			t.Errorf("%s has %d attempts", l.ID(), len(l.Attempts))
		}
		got = append(got, l.Offset)
		return nil
	})
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("letters %v, want %v; %v", got, want, err)
	}
}
