//go:build unix

package conformance

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"penstock/engine/faultpoint"
	"penstock/engine/observe"
	"penstock/internal/testing/natsserver"
)

// Test runs all cases.
func (s Source) Test(t *testing.T) { test(t, s.About, s) }

func (s Source) bench(t *testing.T) (*bench, SourceSide) {
	t.Helper()
	side := s.Start(t)
	return newBench(t, s, s.About.Guarantee, side, s.Secret), side
}

func (s Source) testOrder(t *testing.T) string {
	b, side := s.bench(t)
	want := append(numbers(0, 2000), []byte{})
	if s.Largest > 0 {
		want = append(want, slices.Repeat([]byte{7}, s.Largest), []byte{})
	}
	want = append(want, numbers(2000, 2100)...)
	side.Put(t, append(want, end)...)
	b.runInside().end()
	b.must(b.output(), want)
	return fmt.Sprintf("%d values, from 0 to %d bytes", len(want), s.Largest)
}

// testRuns starts a run after a complete one, and a fresh one: each reads everything.
func (s Source) testRuns(t *testing.T) string {
	b, side := s.bench(t)
	want := numbers(0, 500)
	side.Put(t, append(want, end)...)
	for round := range 3 {
		b.order.Fresh = round == 2
		b.complete()
		b.must(b.output(), want)
		if err := os.Remove(b.order.Output); err != nil {
			t.Fatal(err)
		}
	}
	return "a first run, a second one and a fresh one"
}

// testKills kills the process at random moments, while values are added.
func (s Source) testKills(t *testing.T) string {
	b, side := s.bench(t)
	var want [][]byte
	kills := b.kills()
	for k := range kills {
		more := numbers(len(want), len(want)+200+b.random.IntN(800))
		want = append(want, more...)
		side.Put(t, more...)
		c := b.start(b.order, "")
		if !c.Until(patience, func() bool { return c.Said() > 0 }) {
			t.Fatalf("life %d is not ready\n%s", k, c.Story())
		}
		c.Ends(time.Duration(b.random.IntN(250)) * time.Millisecond)
		c.Kill()
		b.ends(c)
	}
	side.Put(t, end)
	b.complete()
	b.must(b.output(), want)
	return fmt.Sprintf("%d values, %d kills", len(want), kills)
}

// testPoints kills the process at each point that a source passes.
func (s Source) testPoints(t *testing.T) string {
	kills := 0
	for _, point := range []string{
		faultpoint.MidProcess, faultpoint.BeforePublish, faultpoint.PublishSent, faultpoint.AfterPublish,
		faultpoint.AfterFence, faultpoint.BeforeCheckpoint, faultpoint.AfterCheckpoint,
	} {
		b, side := s.bench(t)
		want := numbers(0, 1500)
		side.Put(t, append(want, end)...)
		isComplete := false
		for _, passage := range []int{1, 2} {
			if isComplete = !b.dieAt(point, tested, passage); isComplete {
				break
			}
			kills++
		}
		if !isComplete {
			b.complete()
		}
		b.must(b.output(), want)
	}
	if kills < 7 {
		t.Errorf("only %d kills", kills)
	}
	return fmt.Sprintf("%d kills at 7 points", kills)
}

// testOutage takes the other side away, at the start and in the middle.
func (s Source) testOutage(t *testing.T) string {
	b, side := s.bench(t)
	want := numbers(0, 1000)
	side.Put(t, want[:500]...)
	side.Stop(t)
	in := b.runInside()
	in.await("unavailable at the start", func(s observe.StageStatus) bool { return s.Unavailable > 0 })
	side.Again(t)
	in.await("at the middle", func(s observe.StageStatus) bool { return s.Out >= 500 })
	before := in.status(tested).Unavailable
	side.Stop(t)
	in.await("unavailable in the middle", func(s observe.StageStatus) bool { return s.Unavailable > before })
	side.Again(t)
	side.Put(t, append(slices.Clone(want[500:]), end)...)
	in.end()
	in.unburnt()
	b.must(b.output(), want)
	return fmt.Sprintf("away twice, %d calls found it away, no attempt and no restart", in.status(tested).Unavailable)
}

// unburnt fails when an outage has cost something.
func (in *inside) unburnt() {
	in.Helper()
	if s := in.status(tested); s.Errors+s.Panics+s.Restarts+s.FailedAttempts+s.DeadLetters > 0 {
		in.Errorf("the outage cost %d errors, %d restarts, %d attempts and %d dead letters", s.Errors+s.Panics, s.Restarts, s.FailedAttempts, s.DeadLetters)
	}
}

// testLetters has values become dead letters, and replays them, with kills in between.
func (s Source) testLetters(t *testing.T) string {
	b, side := s.bench(t)
	values := numbers(0, 1000)
	side.Put(t, append(values, end)...)
	taken, rejected := split(values)
	b.order.Rejects = true
	b.dieAt(faultpoint.MidDivert, checking, 2)
	b.complete()
	b.must(b.output(), taken)
	b.order.Rejects = false
	b.replay(len(rejected))
	b.dieAt(faultpoint.MidReplay, checking, 2)
	b.complete()
	b.must(b.output(), append(taken, rejected...))
	return fmt.Sprintf("%d letters, replayed; 2 kills", len(rejected))
}

// testOwners stops a process, has another one take over, and lets the first go on.
func (s Source) testOwners(t *testing.T) string {
	b, side := s.bench(t)
	b.order.NATS = natsserver.Start(t).ClientURL()
	want := numbers(0, 2000)
	side.Put(t, want[:1000]...)
	first := b.start(b.order, "")
	if !first.Until(patience, func() bool { return first.Said() > 0 }) {
		t.Fatalf("the first process is not ready\n%s", first.Story())
	}
	first.Ends(time.Duration(b.random.IntN(200)) * time.Millisecond)
	first.Signal(syscall.SIGSTOP)
	side.Put(t, append(slices.Clone(want[1000:]), end)...)
	b.order.Dir = t.TempDir()
	b.complete()
	b.must(b.output(), want) // the file of the first process is not fenced: what it does to it later does not count
	first.Signal(syscall.SIGCONT)
	if first.Code(t) == 0 {
		t.Errorf("the process that was replaced ended well\n%s", first.Story())
	}
	return "SIGSTOP, a second process to the end, SIGCONT"
}
