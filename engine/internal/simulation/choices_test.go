package simulation

import "time"

// choice is something that can happen next.
type choice struct {
	what    kindOfChoice
	process *simProcess
	session *simSession
	feed    *simFeed
	request *request
	run     *coroutine
}

type kindOfChoice uint8

const (
	toRun kindOfChoice = iota
	toReturn
	toCallSource
	toDeliver
	toArrive
	toAnswer
	toCheckpoint
	toStart
)

// gather lists what can happen next.
func (w *world) gather() {
	w.choices = w.choices[:0]
	for _, p := range w.alive {
		if !p.opened {
			if p.boot.isReady(w.now) {
				w.choices = append(w.choices, choice{what: toRun, run: p.boot})
			}
			continue
		}
		if p.saver.isReady(w.now) {
			w.choices = append(w.choices, choice{what: toRun, run: p.saver})
		} else if p.saver.idle && (len(p.run.Checkpointer.Kicked) > 0 || !w.calm && w.chance(24)) {
			w.choices = append(w.choices, choice{what: toCheckpoint, process: p})
		}
		for _, s := range p.sessions {
			if s.co.ended {
				continue
			}
			if s.co.hangs {
				w.choices = append(w.choices, choice{what: toReturn, run: s.co, session: s})
			} else if s.isReady() {
				w.choices = append(w.choices, choice{what: toRun, run: s.co})
			}
			if s.canFeed() {
				w.choices = append(w.choices, choice{what: toCallSource, session: s})
			}
			for _, f := range s.feeds {
				if f.canDeliver() {
					w.choices = append(w.choices, choice{what: toDeliver, feed: f})
				}
			}
		}
	}
	for _, q := range w.requests {
		if !q.arrived {
			w.choices = append(w.choices, choice{what: toArrive, request: q})
		} else if !q.answered {
			w.choices = append(w.choices, choice{what: toAnswer, request: q})
		}
	}
	if len(w.alive) == 0 {
		w.choices = append(w.choices, choice{what: toStart})
	}
}

// step lets one thing happen, and says whether the run is complete.
func (w *world) step() bool {
	w.gather()
	if len(w.choices) == 0 {
		if !w.wait() {
			w.stuck()
		}
		return false
	}
	if c := &w.choices[0]; c.run == nil || len(w.alive) == 0 || c.run != w.alive[0].saver {
		w.idle = 0
	}
	c := w.choices[w.choose(uint64(len(w.choices)))]
	switch c.what {
	case toRun:
		w.resume(c.run)
	case toReturn:
		w.say("the function of %s returns", c.session)
		c.run.hangs = false
		w.resume(c.run)
	case toCallSource:
		c.session.feed()
	case toDeliver:
		c.feed.deliver(c.feed.session.ctx)
	case toArrive:
		w.arrive(c.request)
		w.sweep()
	case toAnswer:
		if w.happens(w.weights.answer) {
			w.giveUp(c.request)
		} else {
			w.answer(c.request)
		}
		w.sweep()
	case toCheckpoint:
		select {
		case <-c.process.run.Checkpointer.Kicked:
		default:
		}
		w.resume(c.process.saver)
	case toStart:
		if w.isComplete() {
			return true
		}
		w.start(w.disks[w.choose(uint64(len(w.disks)))])
	}
	return false
}

func (w *world) resume(c *coroutine) {
	before := w.current
	w.current = c
	c.resume()
	w.current = before
}

// wait lets the time pass until something is due. When nothing is, a checkpoint
// may make room.
func (w *world) wait() bool {
	due := int64(1) << 62
	for _, p := range w.alive {
		for _, s := range p.sessions {
			switch c := s.co; {
			case c.ended || c.hangs || c.done != nil:
			case c.idle:
				due = min(due, s.wakeAt)
			default:
				due = min(due, c.due)
			}
		}
		if !p.opened && p.boot.done == nil {
			due = min(due, p.boot.due)
		}
	}
	if due-w.now < int64(time.Minute) {
		w.now = max(w.now, due)
		w.say("%v later", time.Duration(w.now)-time.Hour)
		return true
	}
	w.idle++
	for _, p := range w.alive {
		if p.opened && p.saver.idle && w.idle < 10 {
			w.resume(p.saver)
			return true
		}
	}
	return false
}

// stuck is when nothing can continue. Where the server has lost what it had
// acknowledged, an operator has to start the pipeline again: a stage that had
// ended does not look whether its end is still there.
func (w *world) stuck() {
	if !w.lost || w.embedded {
		w.violate("nothing can continue")
		return
	}
	w.say("nothing can continue; an operator stops everything")
	w.counts[hangs]++
	for len(w.alive) > 0 {
		w.dies(w.alive[0])
	}
}
