package supervise

import (
	"maps"
	"time"
)

// State is what a child is doing.
type State uint8

const (
	StateStarting   State = iota // it was started and has not said Running
	StateRunning                 // it said so; a group: its children were started
	StateBackingOff              // it ended, and waits for its recovery function, its delay or its siblings to be restarted
	StateStopping                // it was told to stop
	StateStopped                 // by an operator, or with its group; also before it was ever started
	StateEnded                   // for good, normally
	StateGivenUp                 // for good, after a failure
	StateEscalated               // its failure ended its group
)

var stateNames = [...]string{"starting", "running", "backing off", "stopping", "stopped", "ended", "given up", "escalated"}

// String returns the state in plain lower-case words.
func (s State) String() string { return nameOf(stateNames[:], "state", uint8(s)) }

// ChildStatus is a snapshot of one child. Its counters go on when its group is restarted, until the root's Serve
// returns.
type ChildStatus struct {
	Name             string
	Policy           Policy
	State            State
	Since            time.Time         // when it came into State; zero if it was never started
	Started          time.Time         // when its last life began, see Starts
	Starts           uint64            // number of lives so far: the generation of the present one
	Restarts         map[Reason]uint64 // by why the life before had ended; Shutdown: a sibling's failure, or a command
	Abandoned        uint64            // lives that would not stop
	RecoveryFailures uint64            // times Recover panicked or took too long
	LastFault        error             // what it failed with last; nil if it never failed
	Health           Health            // the worst of its checks

	IsGroup  bool // the rest is about its Group
	Strategy Strategy
	Children []ChildStatus // in start order
}

// Status returns a snapshot of all children, in start order. It is safe from any goroutine at any time: before Serve
// all are stopped, and after it they stay as they were at the end.
func (s *Supervisor) Status() []ChildStatus {
	g := s.run.Load()
	all := make([]ChildStatus, len(s.Children))
	for i := range all {
		c := &s.Children[i]
		if g != nil && i < len(g.members) {
			all[i] = g.members[i].snapshot()
		} else {
			all[i] = ChildStatus{Name: c.name(), Policy: c.Policy, State: StateStopped}
		}
		if c.Group != nil {
			all[i].IsGroup, all[i].Strategy, all[i].Children = true, c.Group.Strategy, c.Group.Status()
		}
	}
	return all
}

func (m *member) snapshot() ChildStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.status
	s.Restarts = maps.Clone(s.Restarts)
	return s
}

// note changes what Status shows.
func (m *member) note(change func(s *ChildStatus)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.status)
}

// enter changes the state. Only the manager writes it, so it may read it without the lock.
func (m *member) enter(state State) {
	m.note(func(s *ChildStatus) {
		if s.State != state || s.Since.IsZero() {
			s.State, s.Since = state, time.Now()
		}
	})
}
