package simulation

import (
	"time"

	"penstock/engine/internal/memory"
)

// disturb lets at most one fault happen.
func (w *world) disturb() {
	w.now += int64(w.choose(uint64(2 * time.Millisecond)))
	v := w.random.Uint64()
	hit := func(weight uint64) bool {
		roll := v & 0xffff
		v = v>>16 | v<<48
		v *= 0x9e3779b97f4a7c15
		return roll < weight
	}
	switch {
	case len(w.alive) > 0 && hit(w.weights.kill):
		p := w.alive[w.choose(uint64(len(w.alive)))]
		w.say("%s is killed", p)
		w.counts[kills]++
		w.dies(p)
	case hit(w.weights.cut):
		w.powerCut()
	case hit(w.weights.serverCut):
		w.say("the server's power is cut")
		w.counts[serverCuts]++
		w.dropConnections()
		w.cutServer()
		for _, p := range w.alive {
			for _, s := range p.sessions {
				for _, f := range s.feeds {
					f.joined = false
				}
			}
		}
	case len(w.requests) > 0 && hit(w.weights.answer/8):
		if q := w.requests[w.choose(uint64(len(w.requests)))]; !q.answered && !q.process.dead {
			w.giveUp(q) // it may arrive later
			if w.chance(96) && !q.arrived {
				q.arrived = true // never
			}
			w.sweep()
		}
	case hit(w.weights.redeliver):
		if f := w.anyFeed(); f != nil {
			f.redeliver(f.session.ctx)
		}
	case hit(w.weights.rejoin):
		if f := w.anyFeed(); f != nil {
			w.say("%s: its consumer is gone", f.session)
			w.counts[rejoins]++
			f.joined = false
		}
	case hit(w.weights.leave * 8):
		w.leaveHanging()
	case hit(w.weights.restart):
		w.restartStage()
	case len(w.alive) > 0 && hit(w.weights.drain):
		if p := w.alive[w.choose(uint64(len(w.alive)))]; p.opened {
			w.say("%s is to drain", p)
			w.counts[drains]++
			p.run.BeginDrain()
		}
	case len(w.alive) == 1 && hit(w.weights.second):
		w.startSecond()
	case hit(w.weights.rob):
		w.rob()
	case hit(w.weights.foreign):
		w.publishForeign()
	}
}

func (w *world) anyFeed() *simFeed {
	if len(w.alive) == 0 {
		return nil
	}
	p := w.alive[w.choose(uint64(len(w.alive)))]
	if !p.opened || len(p.sessions) == 0 {
		return nil
	}
	s := p.sessions[w.choose(uint64(len(p.sessions)))]
	if len(s.feeds) == 0 || s.co.ended {
		return nil
	}
	f := s.feeds[w.choose(uint64(len(s.feeds)))]
	if f.refused {
		return nil
	}
	return f
}

// dropRequests loses what a dead process had on its way, or lets it arrive.
func (w *world) dropRequests(p *simProcess) {
	for _, q := range w.requests {
		switch {
		case q.process != p || q.arrived:
		case w.chance(128):
			q.arrived = true
		case w.embedded, !w.syncAlways:
			// An embedded server is dead as well. One that loses frames uses their
			// sequences again, which would let a late commit of a dead owner pass.
			w.arrive(q)
		}
	}
	w.sweep()
}

func (w *world) powerCut() {
	w.say("the power is cut")
	w.counts[powerCuts]++
	for len(w.alive) > 0 {
		w.dies(w.alive[0])
	}
	for _, d := range w.disks {
		d.Cut(int(w.choose(uint64(d.Unsynced() + 1))))
	}
	if w.embedded {
		for _, q := range w.requests {
			q.arrived = true
		}
		w.sweep()
		w.cutServer()
	}
}

// dropConnections loses what is on its way to a server without power. A publish does not outlive its connection, and the
// client keeps none for the next one.
func (w *world) dropConnections() {
	for _, q := range w.requests {
		if !q.arrived && !q.answered && !q.process.dead {
			w.giveUp(q)
		}
		q.arrived = true
	}
	w.sweep()
}

func (w *world) cutServer() {
	for _, s := range w.inOrder {
		w.loseTail(s)
	}
}

// restartStage stops a stage where it waits, as for a sibling or an operator. It begins its next life.
func (w *world) restartStage() {
	if len(w.alive) == 0 {
		return
	}
	p := w.alive[w.choose(uint64(len(w.alive)))]
	if !p.opened || len(p.sessions) == 0 {
		return
	}
	s := p.sessions[w.choose(uint64(len(p.sessions)))]
	if s.stop == nil || s.finished || s.co.ended || s.co.hangs {
		return
	}
	w.say("%s is restarted", s)
	w.counts[restarts]++
	s.stop()
	s.co.idle, s.co.done, s.co.due = false, nil, 0
}

// leaveHanging gives up a function that hangs.
func (w *world) leaveHanging() {
	for _, p := range w.alive {
		for _, s := range p.sessions {
			if s.co.hangs && p.opened && s.session.Instance.Task.Load() == s.session {
				s.abandon()
				return
			}
		}
	}
}

// startSecond starts another process beside one that lives on, with a copy of
// its directory, or with none.
func (w *world) startSecond() {
	w.contested = true
	w.counts[secondOwners]++
	disk := memory.NewDisk()
	if w.chance(160) {
		disk = w.alive[0].disk.Copy()
	}
	w.disks = append(w.disks, disk)
	w.start(disk)
}

// rob purges frames, also those that are still needed.
func (w *world) rob() {
	s := w.inOrder[w.choose(uint64(len(w.inOrder)))]
	last, found, err := s.LastCommit()
	if err != nil || !found || last.Sequence == s.First() {
		return
	}
	w.robbed = true
	w.counts[purges]++
	w.say("an operator purges %s", s.stage)
	w.purge(s, s.First()+1+w.choose(last.Sequence-s.First()))
}

// publishForeign is another client that publishes to the subjects of channels: nothing, garbage, or a frame of any
// stage once more. It does not know which sequence a commit expects. Where a server has lost sequences, and a process has a commit on its way
// to it, messages in their place would let that commit pass: readers then refuse the gap. That is not played.
func (w *world) publishForeign() {
	if w.lost && !w.embedded {
		return
	}
	s := w.inOrder[w.choose(uint64(len(w.inOrder)))]
	for range 1 + w.choose(3) {
		var data []byte
		switch from := w.inOrder[w.choose(uint64(len(w.inOrder)))]; {
		case w.chance(64):
		case from.Len() > 0 && w.chance(200):
			data = from.Data(from.First() + w.choose(uint64(from.Len())))
		default:
			data = []byte("PSTK garbage")[w.choose(8):]
		}
		w.counts[foreignFrames]++
		s.AppendForeign(data)
		if w.syncAlways {
			s.Sync()
		}
		w.say("another client publishes %d bytes to %s: sequence %d", len(data), s.stage, s.Last())
	}
}
