package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"penstock/engine"
	"penstock/engine/channel"
	"penstock/engine/internal/compiled"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/quarantine"
	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// simProcess is a process that runs the pipeline on a disk. Its tasks, its
// checkpointer and its start are the engine's.
type simProcess struct {
	world    *world
	number   int
	disk     *memory.Disk
	run      *task.Run
	ctx      context.Context
	boot     *coroutine
	saver    *coroutine
	sessions []*simSession
	dead     bool
	opened   bool
	failed   error // why it has to end
}

func (p *simProcess) String() string { return fmt.Sprintf("process %d", p.number) }

// mustLive ends what a dead process does.
func (p *simProcess) mustLive() {
	if p.dead {
		panic(stopped{})
	}
}

// mayYield is where something else may come in between.
func (p *simProcess) mayYield() {
	p.mustLive()
	if w := p.world; w.current != nil && !w.calm && w.chance(128) {
		w.current.pause()
		p.mustLive()
	}
}

// simClock is the world's clock to a process.
type simClock struct{ process *simProcess }

var _ ports.Clock = simClock{}

func (c simClock) Now() time.Time { return time.Unix(0, c.process.world.now) }

func (c simClock) Pause(ctx context.Context, d time.Duration) error {
	c.process.mustLive()
	if d > 0 {
		w := c.process.world
		w.current.due = w.now + int64(d)
		w.current.pause()
	}
	return ctx.Err()
}

func (c simClock) Until(ctx context.Context, done <-chan struct{}) error {
	c.process.mustLive()
	for {
		select {
		case <-done:
			return nil
		default:
			if ctx.Err() != nil { // not by select, which takes either
				return ctx.Err()
			}
			current := c.process.world.current
			if current == nil { // the last checkpoint of a process that ends in order
				c.process.world.settle(c.process)
				continue
			}
			current.done = done
			current.pause()
		}
	}
}

var discard = slog.New(slog.DiscardHandler)

// start begins a process on a disk.
func (w *world) start(disk *memory.Disk) *simProcess {
	w.processes++
	p := &simProcess{world: w, number: w.processes, disk: disk, ctx: context.Background()}
	stages, functions := compiled.Of(w.plan.pipeline)
	r := task.New(stages, functions, simClock{p}, discard, task.Settings{IsLazy: !w.syncAlways && w.embedded})
	r.Letters = memory.NewLetters("sim") // no stage uses its attempts up
	r.Server = simServer{process: p}
	r.Quarantine = quarantine.Off()
	r.Checkpointer = r.NewCheckpointer(simSaver{p})
	p.run = r
	p.boot = w.begin("boot", func(*coroutine) { p.fail(p.open()) })
	w.alive = append(w.alive, p)
	for k, d := range w.disks {
		if d == disk {
			w.say("%s starts on disk %d", p, k)
		}
	}
	return p
}

// open does what openInstances does.
func (p *simProcess) open() error {
	r := p.run
	for _, d := range r.Plan.Order() {
		for _, id := range d.Instances() {
			in := r.AddInstance(d, id, p.corner(id.String()), 1<<20)
			in.Channel = &simLink{p, p.world.streams[id]}
			if err := in.Observed.History.Open(in.Committed.Store); err != nil {
				return err
			}
		}
	}
	for _, in := range r.Instances {
		if err := in.LoadStats(); err != nil {
			return err
		}
		if p.world.embedded && !p.world.syncAlways {
			if err := in.TakeBack(p.ctx); err != nil {
				return err
			}
		}
		s := p.newSession(in)
		if err := s.Open(p.ctx); err != nil {
			return err
		}
		in.Task.Store(s)
	}
	if err := r.CheckPositions(); err != nil {
		return err
	}
	for _, in := range r.Instances {
		if !in.Phase.IsEnded() {
			p.serve(in.Task.Load())
		}
	}
	p.saver = p.world.begin("checkpointer", func(c *coroutine) {
		for {
			if err := r.Checkpointer.Checkpoint(p.ctx); err != nil && !errors.Is(err, errDisk) {
				p.world.violate("%s: a checkpoint failed: %v", p, err)
			}
			c.idle = true
			c.pause()
		}
	})
	p.saver.idle = true
	r.Ready.Store(true)
	p.opened = true
	return nil
}

func (p *simProcess) newSession(in *task.Instance) *task.Task {
	s := task.NewTask(in)
	p.world.owners++
	s.Ownership.Owner = p.world.owners
	for _, i := range s.Inbox.Inputs {
		i.Ahead = task.NewReadAhead(p.world.aheadBytes, simPerFrame, i.Ahead.Waits)
	}
	if s.Inbox.Replays != nil {
		s.Inbox.Replays.Idle.Store(true) // no letters, no replays
	}
	return s
}

// fail notes why the process has to end. Its coroutines stay where they are.
func (p *simProcess) fail(err error) {
	if err != nil && p.failed == nil {
		p.failed = err
	}
}

// kill ends the process as SIGKILL does.
func (p *simProcess) kill() {
	p.dead = true
	for _, s := range p.sessions {
		s.co.kill()
	}
	p.boot.kill()
	if p.saver != nil {
		p.saver.kill()
	}
	w := p.world
	for k, other := range w.alive {
		if other == p {
			w.alive = append(w.alive[:k], w.alive[k+1:]...)
			break
		}
	}
	w.sweep()
}

// isOver says that every stage has ended or stopped.
func (p *simProcess) isOver() bool {
	if !p.opened || !p.saver.idle {
		return false
	}
	for _, s := range p.sessions {
		if !s.finished {
			return false
		}
	}
	return true
}

// conclude ends the process in order.
func (p *simProcess) conclude() {
	p.world.say("%s ends in order", p)
	if err := p.run.Checkpointer.Checkpoint(p.ctx); err != nil && !errors.Is(err, errDisk) {
		p.world.violate("%s: the last checkpoint failed: %v", p, err)
	}
	p.kill()
}

// isExpected says whether a process may end with this error.
func (w *world) isExpected(err error) bool {
	var fenced *engine.FencedError
	if errors.As(err, &fenced) {
		return w.contested
	}
	refusal := errors.Is(err, engine.ErrRefused) || errors.Is(err, channel.ErrAhead) || errors.Is(err, channel.ErrGap)
	switch {
	case w.lost && w.embedded && !w.robbed:
		return false // what took lost messages is taken back
	case w.robbed, w.lost:
		return refusal || supervise.IsFatal(err)
	case w.contested:
		return refusal && errors.Is(err, engine.ErrRefused) // the other's checkpoints let it trim
	}
	return false
}
