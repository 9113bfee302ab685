package supervise

import (
	"context"
	"fmt"
	"time"
)

// watch is one check in one life of a child.
type watch struct {
	check    Check
	member   *member
	life     *life
	failures int // consecutive
	health   Health
	probe    *probe // the one that has not returned
}

// probe is one call of a Probe.
type probe struct {
	isLate bool // its timeout is over: whatever it says comes too late
}

func (g *group) watchAll(m *member, l *life) {
	for _, c := range m.child.Checks {
		w := &watch{check: c.withDefaults(), member: m, life: l}
		l.watches = append(l.watches, w)
		g.schedule(w)
	}
}

func (g *group) schedule(w *watch) {
	g.agenda.add(w, time.Now().Add(w.check.Interval), func() { g.look(w) })
}

// isOn says whether the life that w looks at still matters.
func (w *watch) isOn() bool { return w.member.life == w.life && !w.life.stopping }

// look starts a probe, or counts a failure if one still hangs.
func (g *group) look(w *watch) {
	if !w.isOn() {
		return
	}
	g.schedule(w)
	switch {
	case w.probe == nil:
		g.startProbe(w)
	case w.probe.isLate:
		g.unwell(w, Unwell("the probe does not return"))
	}
}

func (g *group) startProbe(w *watch) {
	p := &probe{}
	w.probe = p
	g.probes[p] = true
	deadline := time.Now().Add(w.check.Timeout)
	ctx, cancel := context.WithTimeout(w.life.ctx, w.check.Timeout)
	g.agenda.add(p, deadline, func() { g.late(w, p) })
	var health Health
	launch(func() error { health = w.check.Probe(ctx); return nil }, func(err error) {
		cancel()
		g.mail.post(func() {
			g.agenda.drop(p)
			w.probe = nil
			switch {
			case p.isLate:
			case !time.Now().Before(deadline): // by a moment
				g.late(w, p)
			default:
				delete(g.probes, p)
				g.answered(w, health, err)
			}
		})
	})
}

// late counts a probe that did not answer in time. The next interval begins now, so that one moment counts once.
func (g *group) late(w *watch, p *probe) {
	p.isLate = true
	delete(g.probes, p)
	if w.isOn() {
		g.agenda.drop(w)
		g.schedule(w)
		g.unwell(w, Unwell(fmt.Sprintf("no answer within %v", w.check.Timeout)))
	}
}

func (g *group) answered(w *watch, h Health, err error) {
	switch {
	case err != nil:
		g.unwell(w, Unwell(err.Error()))
	case h.Level >= LevelUnhealthy:
		g.unwell(w, h)
	case w.isOn():
		w.failures = 0
		g.show(w, h)
	}
}

// unwell counts a failure, and stops the child when there were too many.
func (g *group) unwell(w *watch, h Health) {
	if !w.isOn() {
		return
	}
	w.failures++
	g.show(w, h)
	if w.failures < w.check.Threshold || g.isPending(w.member) || g.closing {
		return // or it is about to be stopped anyway
	}
	w.life.unhealthy = &UnhealthyError{Check: w.check.Name, Reason: h.Reason, Failures: w.failures, Uncounted: h.Uncounted}
	g.stop(w.member, w.life.unhealthy)
}

// show tells a change of level, and shows the worst of all checks in the status.
func (g *group) show(w *watch, h Health) {
	changed := w.health.Level != h.Level
	w.health = h
	worst := h
	for _, other := range w.life.watches {
		if other.health.Level > worst.Level {
			worst = other.health
		}
	}
	w.member.note(func(s *ChildStatus) { s.Health = worst })
	if changed {
		g.emit(w.member, Event{Kind: HealthChanged, Detail: h.String()})
	}
}
