//go:build linux

package engine_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/patient"
)

const spaceKeys = 1000

// loaded emits values of about a kibibyte until it is told to end, counts them by
// key, and passes every count on.
func loaded(end *atomic.Bool, seen func(key string, n uint64) error) *engine.Pipeline {
	p := engine.New("loaded")
	padding := strings.Repeat("x", 1000)
	values := engine.Source(p, "values", func(_ context.Context, at *Place, emit engine.Emit[string]) error {
		if end.Load() {
			return io.EOF
		}
		for range 16 {
			emit(fmt.Sprintf("%d %s", at.Next%spaceKeys, padding))
			at.Next++
		}
		return nil
	}).WithCapacity(engine.Capacity{Bytes: 16 << 20})
	keyed := engine.KeyBy(values, func(m string) string { key, _, _ := strings.Cut(m, " "); return key })
	counts := engine.Stage(p.With(fast), "count", engine.On(keyed,
		func(ctx context.Context, n *uint64, m engine.Message[string], emit engine.Emit[string]) error {
			*n++
			emit(fmt.Sprintf("%s %d %s", engine.CurrentKey(ctx), *n, padding[:100]))
			return nil
		}))
	engine.Sink(p.With(fast), "check", counts, func(_ context.Context, last *uint64, m engine.Message[string]) error {
		var key string
		var n uint64
		if _, err := fmt.Sscan(m.Value, &key, &n); err != nil {
			return err
		}
		*last++
		return seen(key, n)
	})
	return p
}

// spaceTally notes the counts of every key. After a restart of the stage some come again.
type spaceTally struct {
	mu    sync.Mutex
	last  map[string]uint64
	wrong error
}

func (c *spaceTally) see(key string, n uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > c.last[key]+1 && c.wrong == nil {
		c.wrong = fmt.Errorf("key %s goes from %d to %d", key, c.last[key], n)
	}
	c.last[key] = max(c.last[key], n)
	return nil
}

// The disk is filled under load and emptied again, many times: nothing dies,
// everything waits and goes on by itself, and the result is exact.
func TestDiskFilledAndEmptied(t *testing.T) {
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) { fillAndEmpty(t, kind, cyclesOf(t)) })
	}
}

// cyclesOf is how often the disk is filled: PENSTOCK_DISK_CYCLES, or a few times.
func cyclesOf(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("PENSTOCK_DISK_CYCLES")); err == nil {
		return n
	}
	if testing.Short() {
		return 3
	}
	return 8
}

func fillAndEmpty(t *testing.T, kind string, cycles int) {
	dir := smallDisk(t, kind, 512<<20)
	var end atomic.Bool
	counted := &spaceTally{last: map[string]uint64{}}
	p := loaded(&end, counted.see)
	config := testConfig(t, dir)
	config.CheckpointInterval = 50 * time.Millisecond
	var events []supervise.Event
	config.OnEvent = func(e supervise.Event) {
		if e.Kind == observe.SpaceChanged {
			events = append(events, e)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, config) }()
	defer cancel()
	await := func(what string, is func(observe.Status) bool) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		limit := time.After(time.Minute)
		for !is(p.Status()) {
			select {
			case err := <-done:
				t.Fatalf("%s: the run ended: %v", what, err)
			case <-limit:
				t.Fatalf("%s does not come: %+v, disk %+v", what, p.Status().Stages, p.Status().Disk)
			case <-tick.C:
			}
		}
	}
	state := func(want string) func(observe.Status) bool {
		return func(s observe.Status) bool { return s.Disk != nil && s.Disk.State == want }
	}
	for cycle := range cycles {
		before := p.Status()
		if d := before.Disk; d != nil && (d.Used <= 0 || d.Free <= 0) {
			t.Fatalf("the disk is %+v", d)
		}
		await("progress", func(s observe.Status) bool { return taken(s, "check") > taken(before, "check")+2000 })
		keep := []int64{0, 56 << 20, 1 << 20}[cycle%3]
		release := fillDisk(t, dir, keep)
		if keep > 32<<20 {
			await("low", state("low"))
			await("the drain", func(s observe.Status) bool { return taken(s, "check") == emitted(s, "values") })
		} else {
			await("full", state("full"))
		}
		release()
		await("enough", state("enough"))
	}
	end.Store(true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !p.Status().Completed {
		t.Fatal("the run is not complete")
	}
	if counted.wrong != nil {
		t.Error(counted.wrong)
	}
	var sum uint64
	for _, n := range counted.last {
		sum += n
	}
	if all := emitted(p.Status(), "values"); sum != all || all == 0 {
		t.Errorf("%d values came through of %d", sum, all)
	}
	if !slices.ContainsFunc(events, func(e supervise.Event) bool { return e.Child == "values" && strings.HasPrefix(e.Detail, "waits") }) {
		t.Errorf("nobody was told: %+v", events)
	}
}

func taken(s observe.Status, stage string) uint64 {
	for _, one := range s.Stages {
		if one.Name == stage {
			return one.In
		}
	}
	return 0
}

func emitted(s observe.Status, stage string) uint64 {
	for _, one := range s.Stages {
		if one.Name == stage {
			return one.Out
		}
	}
	return 0
}

// A run does not begin on a full disk: it waits, and says so.
func TestStartOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "tmpfs", 256<<20)
	release := fillDisk(t, dir, 1<<20)
	log := &logged{}
	config := testConfig(t, dir)
	config.Logger = log.logger()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p := engine.New("waits")
	engine.Sink(p, "all", engine.Source(p, "numbers", count(10, 1)), ignore[struct{}, uint64])
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, config) }()
	patient.Within(t, "the warning", func() bool { return strings.Contains(log.String(), "waiting for free space before starting") })
	release()
	if err := <-done; err != nil || !p.Status().Completed {
		t.Fatalf("run: %v", err)
	}
	stopped, stop := bounded(t)
	stop()
	release = fillDisk(t, dir, 1<<20)
	defer release()
	if err := p.Run(stopped, config); err != nil || p.Status().Completed {
		t.Errorf("stopped while waiting: %v", err)
	}
}
