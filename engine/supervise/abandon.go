package supervise

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// AbandonedError is how the root's Serve returns when children whose last life did not stop in time, and was left
// behind, still run: whether that was when everything stopped or at any time before. A child that was started again
// beside its earlier life is not named for that one, which Child.Abandon has let go; ChildStatus.Abandoned counts it.
type AbandonedError struct {
	Children []string // in start order, with the path of their group in front, "back/worker"
	Cause    error    // what Serve would have returned without them; nil if all children had ended for good
}

// Error names the children and the cause.
func (e *AbandonedError) Error() string {
	text := "supervise: these did not stop in time and still run: " + strings.Join(e.Children, ", ")
	if e.Cause == nil {
		return text
	}
	return fmt.Sprintf("%s (stopped because of: %v)", text, e.Cause)
}

// Unwrap returns Cause.
func (e *AbandonedError) Unwrap() error { return e.Cause }

// overdue abandons the life of m if that is possible, and comes back if it is not.
func (g *group) overdue(m *member, l *life) {
	if !m.child.mayAbandon() {
		pause := min(m.child.stopTimeout(), longestAbandonPause)
		g.agenda.add(l, time.Now().Add(max(pause, time.Millisecond)), func() { g.overdue(m, l) })
		return
	}
	g.tree.leftovers.add(m.child, l)
	m.note(func(s *ChildStatus) { s.Abandoned++ })
	g.emit(m, Event{Kind: Abandoned, Detail: fmt.Sprintf("did not stop within %v", m.child.stopTimeout())})
	g.ended(m, nil, true)
}

// leftovers are the last lives of children of a tree that were abandoned and whose goroutines still run.
type leftovers struct {
	mu    sync.Mutex
	lives map[*Child]*life
}

// add enters an abandoned life, unless its goroutine has ended at the last moment.
func (o *leftovers) add(c *Child, l *life) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !l.over {
		o.lives[c] = l
	}
}

// replaced strikes out the earlier life of c, which begins another one.
func (o *leftovers) replaced(c *Child) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.lives, c)
}

// over takes note that the goroutine of l, abandoned or not, ends.
func (o *leftovers) over(c *Child, l *life) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l.over = true
	if o.lives[c] == l {
		delete(o.lives, c)
	}
}

// under returns the paths of those that are children of s, or in its groups, in start order.
func (o *leftovers) under(s *Supervisor, path string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.collect(s, path)
}

func (o *leftovers) collect(s *Supervisor, path string) (names []string) {
	for i := range s.Children {
		c := &s.Children[i]
		if c.Group != nil {
			names = append(names, o.collect(c.Group, childPath(path, c))...)
		} else if o.lives[c] != nil {
			names = append(names, childPath(path, c))
		}
	}
	return names
}
