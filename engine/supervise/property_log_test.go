package supervise_test

import (
	"fmt"
	"strings"
	"time"

	"penstock/engine/supervise"
)

type mark uint8

const (
	event     mark = iota // the supervisor told it
	childEnd              // the supervisor told a group
	began                 // and these the children noted themselves
	said                  // it says that it is running
	told                  // it saw that it is to stop
	ended                 // it returns
	asked                 // a recovery function
	probed                // a check
	ordered               // an operator's command
	answered              // and its result
	settled               // long after the last fault
	cancelled             // the context of the root is about to end
	returned              // the root's Serve
	stuck                 // it has not returned for very long
	released              // what hangs may go on
	over
)

var markNames = [...]string{"event", "child end", "began", "said", "told", "ended", "asked", "probed", "ordered", "answered", "settled", "cancelled", "returned", "stuck", "released", "over"}

// entry is one line of the log.
type entry struct {
	when     time.Duration
	what     mark
	path     string
	life     int
	how      outcome
	unwell   bool // of told: because of its health
	event    supervise.Event
	end      supervise.ChildEnd
	fault    supervise.Fault
	decision supervise.Decision
	health   supervise.Level
	order    order
	err      error
	status   []supervise.ChildStatus
}

func (e entry) at(t time.Duration) entry { e.when = t; return e }

func (e entry) String() string {
	s := fmt.Sprintf("%8.3f %-9s %-9s", e.when.Seconds(), markNames[e.what], e.path)
	switch e.what {
	case event:
		s += fmt.Sprintf(" %v reason %v restart %d delay %v %s err %v", e.event.Kind, e.event.Reason, e.event.Restart, e.event.Delay, e.event.Detail, e.event.Err)
	case childEnd:
		s += fmt.Sprintf(" %v restarting %v err %v", e.end.Reason, e.end.Restarting, e.end.Err)
	case began, said, told, ended:
		s += fmt.Sprintf(" life %d", e.life)
		if e.what == ended {
			s += " " + e.how.String()
		}
		if e.unwell {
			s += " unwell"
		}
	case asked:
		s += fmt.Sprintf(" %v decision %v", e.how, e.decision)
	case probed:
		s += fmt.Sprintf(" %v level %v", e.how, e.health)
	case ordered, answered:
		s += fmt.Sprintf(" %s err %v", [...]string{"", "restart", "stop", "start"}[e.order], e.err)
	case returned:
		s += fmt.Sprintf(" %v", e.err)
	}
	return s
}

func dump(log []entry) string {
	var b strings.Builder
	for _, e := range log {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}
