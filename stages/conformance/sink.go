//go:build unix

package conformance

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"penstock/engine/faultpoint"
	"penstock/engine/observe"
	"penstock/internal/testing/natsserver"
)

// Test runs all cases.
func (s Sink) Test(t *testing.T) { test(t, s.About, s) }

func (s Sink) bench(t *testing.T) (*bench, SinkSide) {
	t.Helper()
	side := s.Start(t)
	return newBench(t, s, s.About.Guarantee, side, s.Secret), side
}

// values are what the pipeline writes.
func (o order) values() (list [][]byte) {
	for n := range o.Values {
		list = append(list, o.value(n))
	}
	return list
}

func (s Sink) testOrder(t *testing.T) string {
	b, side := s.bench(t)
	b.order.Values, b.order.Large = 2000, s.Largest
	b.runInside().end()
	b.must(side.Written(t), b.order.values())
	return fmt.Sprintf("%d values, from 0 to %d bytes", b.order.Values, s.Largest)
}

// testRuns starts a run after a complete one, and a fresh one: each writes everything.
func (s Sink) testRuns(t *testing.T) string {
	b, side := s.bench(t)
	b.order.Values = 500
	var want [][]byte
	for round := range 3 {
		b.order.Fresh = round == 2
		b.complete()
		want = append(want, b.order.values()...)
		b.must(side.Written(t), want)
	}
	return "a first run, a second one and a fresh one"
}

// testKills kills the process at random moments, while it writes.
func (s Sink) testKills(t *testing.T) string {
	b, side := s.bench(t)
	kills := b.kills()
	b.order.Values, b.order.Pause = 1500*kills, 2*time.Millisecond // no life gets to the end
	done := 0
	for ; done < kills; done++ {
		c := b.start(b.order, "")
		if !c.Until(patience, func() bool { return c.Said() > 0 }) {
			t.Fatalf("life %d is not ready\n%s", done, c.Story())
		}
		c.Ends(time.Duration(b.random.IntN(150)) * time.Millisecond)
		c.Kill()
		if b.ends(c) {
			t.Fatalf("the run was complete before the last kill")
		}
	}
	b.order.Pause = 0
	b.complete()
	b.must(side.Written(t), b.order.values())
	return fmt.Sprintf("%d values, %d kills", b.order.Values, done)
}

// testPoints kills the process at each point that a sink passes.
func (s Sink) testPoints(t *testing.T) string {
	kills := 0
	for _, point := range []string{
		faultpoint.AfterPeek, faultpoint.MidProcess, faultpoint.BeforePublish, faultpoint.PublishSent, faultpoint.AfterPublish,
		faultpoint.BeforeAck, faultpoint.AfterFence, faultpoint.BeforeCheckpoint,
	} {
		b, side := s.bench(t)
		b.order.Values, b.order.Pause = 400, 5*time.Millisecond // several commits
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
		b.must(side.Written(t), b.order.values())
	}
	if kills < 8 {
		t.Errorf("only %d kills", kills)
	}
	return fmt.Sprintf("%d kills at 8 points", kills)
}

// testOutage takes the other side away, at the start and in the middle.
func (s Sink) testOutage(t *testing.T) string {
	b, side := s.bench(t)
	b.order.Values, b.order.Pause = 6000, 2*time.Millisecond
	side.Stop(t)
	in := b.runInside()
	in.await("unavailable at the start", func(s observe.StageStatus) bool { return s.Unavailable > 0 })
	side.Again(t)
	in.await("at the middle", func(s observe.StageStatus) bool { return s.In >= 1000 })
	before := in.status(tested).Unavailable
	side.Stop(t)
	in.await("unavailable in the middle", func(s observe.StageStatus) bool { return s.Unavailable > before })
	side.Again(t)
	in.end()
	in.unburnt()
	b.must(side.Written(t), b.order.values())
	return fmt.Sprintf("away twice, %d calls found it away, no attempt and no restart", in.status(tested).Unavailable)
}

// testLetters has values become dead letters, and replays them, with kills in between.
func (s Sink) testLetters(t *testing.T) string {
	b, side := s.bench(t)
	b.order.Values, b.order.Rejects = 1000, true
	taken, rejected := split(b.order.values())
	b.dieAt(faultpoint.MidDivert, tested, 2)
	b.dieAt(faultpoint.BeforePublish, tested, 2)
	b.complete()
	b.must(side.Written(t), taken)
	b.order.Rejects = false
	b.replay(len(rejected))
	b.dieAt(faultpoint.BeforePublish, tested, 1)
	b.dieAt(faultpoint.MidReplay, tested, 1)
	b.complete()
	b.must(side.Written(t), slices.Concat(taken, rejected))
	return fmt.Sprintf("%d letters, replayed; 4 kills", len(rejected))
}

// testOwners stops a process, has another one take over and come to the end, and lets the first go on: nothing is
// changed any more.
func (s Sink) testOwners(t *testing.T) string {
	b, side := s.bench(t)
	b.order.NATS = natsserver.Start(t).ClientURL()
	b.order.Values, b.order.Pause = 4000, 2*time.Millisecond
	first := b.start(b.order, "")
	if !first.Until(patience, func() bool { return first.Said() > 0 }) {
		t.Fatalf("the first process is not ready\n%s", first.Story())
	}
	first.Ends(100*time.Millisecond + time.Duration(b.random.IntN(150))*time.Millisecond)
	first.Signal(syscall.SIGSTOP)
	b.order.Dir, b.order.Pause = t.TempDir(), 0
	b.complete()
	b.must(side.Written(t), b.order.values())
	first.Signal(syscall.SIGCONT)
	if first.Code(t) == 0 {
		t.Errorf("the process that was replaced ended well\n%s", first.Story())
	}
	b.must(side.Written(t), b.order.values())
	return "SIGSTOP, a second process to the end, SIGCONT"
}
