package supervise_test

import (
	"context"
	"time"

	"penstock/engine/supervise"
)

// serve plays the child's parts, one a life.
func (w *world) serve(n *node) func(context.Context) error {
	return func(ctx context.Context) error {
		w.playing.Add(1)
		defer w.playing.Done()
		life := w.next(w.lives, n)
		l := part{up: true, farewell: obeys}
		if life < len(n.script.parts) {
			l = n.script.parts[life]
		}
		w.note(entry{what: began, path: n.path, life: life})
		running := func() {
			w.note(entry{what: said, path: n.path, life: life})
			supervise.Running(ctx)
		}
		if l.up {
			running()
		}
		var late <-chan time.Time
		if l.end != runs {
			late = time.After(l.run)
		}
		end := l.end
		select {
		case <-late:
		case <-ctx.Done():
			_, unwell := context.Cause(ctx).(*supervise.UnhealthyError) // not one within: that is a sibling's
			w.note(entry{what: told, path: n.path, life: life, unwell: unwell})
			w.linger(l.stop)
			if l.late {
				running()
			}
			end = l.farewell
		}
		w.note(entry{what: ended, path: n.path, life: life, how: end})
		return end.happen(ctx)
	}
}

func (w *world) linger(d time.Duration) {
	if d == 0 {
		return
	}
	var over <-chan time.Time
	if d != forever {
		over = time.After(d)
	}
	select {
	case <-over:
	case <-w.release:
	}
}

func (w *world) recovery(n *node) func(context.Context, supervise.Fault) supervise.Decision {
	return func(ctx context.Context, f supervise.Fault) supervise.Decision {
		w.playing.Add(1)
		defer w.playing.Done()
		a := answer{how: fails}
		if i := w.next(w.asked, n); i < len(n.script.recover) {
			a = n.script.recover[i]
		}
		w.note(entry{what: asked, path: n.path, fault: f, how: a.how, decision: a.decision})
		switch a.how {
		case panics:
			panic(errBroken)
		case hangs:
			<-w.release
		default:
			w.linger(a.after)
		}
		return a.decision
	}
}

func (w *world) probe(n *node) func(context.Context) supervise.Health {
	return func(ctx context.Context) supervise.Health {
		w.playing.Add(1)
		defer w.playing.Done()
		a := answer{how: fails}
		if i := w.next(w.probed, n); i < len(n.script.probes) {
			a = n.script.probes[i]
		}
		w.note(entry{what: probed, path: n.path, how: a.how, health: a.health})
		switch {
		case a.how == panics:
			panic(errBroken)
		case a.how == hangs:
			<-w.release
		case a.health == supervise.LevelDegraded:
			return supervise.Degraded("so so")
		case a.health == supervise.LevelUnhealthy:
			return supervise.Unwell("unwell")
		}
		return supervise.Well()
	}
}
