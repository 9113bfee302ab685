package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/internal/task"
	"penstock/engine/supervise"
)

// simSession is a task with its loop and its consumers.
type simSession struct {
	process  *simProcess
	session  *task.Task
	ctx      context.Context
	life     context.Context // of this life of the stage
	stop     context.CancelFunc
	co       *coroutine
	feeds    []*simFeed
	wakeAt   int64 // when it is idle
	finished bool
	feeding  bool // a source's function may be called
}

func (s *simSession) String() string {
	return fmt.Sprintf("%s: %s", s.process, s.session.ID)
}

func (s *simSession) poke() { s.co.idle = false }

// serve begins the life of a task that is open.
func (p *simProcess) serve(in *task.Task) *simSession {
	s := &simSession{process: p, session: in}
	s.ctx = context.WithValue(p.ctx, task.TaskKey{}, in)
	for _, i := range in.Inbox.Inputs {
		if i.Replays == nil {
			s.feeds = append(s.feeds, p.world.newFeed(s, i))
		}
	}
	s.co = p.world.begin(in.ID.String(), s.live)
	p.sessions = append(p.sessions, s)
	return s
}

// live is one life after the other, as the supervisor has it.
func (s *simSession) live(c *coroutine) {
	in, p := s.session, s.process
	for {
		in.Code.Custody.Begin()
		in.Phase.On(task.LifeBegins)
		s.life, s.stop = context.WithCancel(s.ctx)
		err := in.Start(s.life)
		if err == nil {
			err = s.loop(c)
		}
		if errors.Is(err, task.ErrOver) {
			err = nil
		}
		s.feeding = false
		s.stop()
		switch {
		case in.Code.Custody.Abandoned():
			p.world.say("%s: the function that was left behind returns", s)
			s.finished = true
			return
		case err == nil:
			p.world.say("%s has ended or stopped", s)
			in.Phase.On(task.LifeIsOver)
			s.finished = true
			p.run.PokeAll()
			return
		case supervise.IsFatal(err), task.IsFatal(err):
			p.fail(err)
			return
		}
		p.world.say("%s fails: %v", s, err)
		c.due = p.world.now + int64(time.Millisecond)
		c.pause()
	}
}

func (s *simSession) loop(c *coroutine) error {
	if s.session.Source() != nil {
		return s.sourceLoop(c)
	}
	for s.life.Err() == nil {
		next, err := s.session.Round(s.life)
		if err != nil || next == task.ToEnd {
			return err
		}
		if next == task.ToWait {
			c.idle = true
			s.wakeAt = s.process.world.now + int64(s.session.Idle())
		}
		c.pause()
	}
	return s.life.Err()
}

// sourceLoop does what the engine's does, with calls of the source's function
// that the world makes.
func (s *simSession) sourceLoop(c *coroutine) error {
	in := s.session.Source()
	if err := in.BeginFeeding(s.life); err != nil {
		return err
	}
	s.feeding = true
	for s.life.Err() == nil {
		if in.Run.IsDraining() || in.ReadersEnded() {
			s.stopFeeding(context.Canceled)
		}
		if err := in.Settle(s.life, false); err != nil {
			return err
		}
		published, err := in.PublishProduced(s.life)
		if err != nil {
			s.stopFeeding(context.Canceled)
			return in.Fail(s.life, err)
		}
		if !published {
			if finished, cause := in.AllCommitted(); finished {
				return in.SourceFinished(s.life, cause)
			}
			c.idle = true
			s.wakeAt = s.process.world.now + int64(time.Hour)
		}
		c.pause()
	}
	return s.life.Err()
}

func (s *simSession) stopFeeding(err error) {
	if s.feeding {
		s.feeding = false
		s.session.Source().Fed(err)
	}
}

// canFeed says whether the source's function may be called.
func (s *simSession) canFeed() bool {
	b := s.session.Batch
	return s.feeding && s.life.Err() == nil && !s.co.ended && b.Bytes < s.session.Format.Limits.Batch && b.Calls < 4 && b.Emitted < s.session.Format.Capacity.Messages
}

// feed calls the source's function.
func (s *simSession) feed() {
	err := s.session.Source().CallSource(s.life)
	s.process.world.say("%s: its function is called: %v", s, err)
	if err != nil {
		s.stopFeeding(err)
	}
	s.poke()
}

// isReady says whether the loop would do something.
func (s *simSession) isReady() bool {
	w := s.process.world
	if c := s.co; c.idle {
		in := s.session
		switch {
		case len(in.Wake) > 0:
			<-in.Wake
		case in.Txn.IsDone(), w.now >= s.wakeAt:
		default:
			return false
		}
		c.idle = false
	}
	return s.co.isReady(w.now)
}

// abandon leaves a task behind whose function hangs, and begins another, as
// the watchdog and serve do.
func (s *simSession) abandon() {
	in, p := s.session.Instance, s.process
	if !in.Abandon() {
		return
	}
	p.world.say("%s is left behind", s)
	p.world.counts[leftBehind]++
	s.feeds = nil // its readers are stopped
	next := &simSession{process: p}
	next.co = p.world.begin(in.ID.String(), func(c *coroutine) {
		session := p.newSession(in)
		if err := session.Open(p.ctx); err != nil {
			p.fail(err)
			next.finished = true
			return
		}
		next.session = session
		next.ctx = context.WithValue(p.ctx, task.TaskKey{}, session)
		for _, i := range session.Inbox.Inputs {
			if i.Replays == nil {
				next.feeds = append(next.feeds, p.world.newFeed(next, i))
			}
		}
		in.Task.Store(session)
		next.live(c)
	})
	next.session = s.session // until it has its own
	p.sessions = append(p.sessions, next)
}
