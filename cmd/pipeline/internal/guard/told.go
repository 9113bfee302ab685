package guard

import (
	"fmt"
	"strings"
)

// Variable tells a child process that a guard started it, and how it begins:
// as it was told on the command line, or going on with the child process before.
const (
	Variable      = "PENSTOCK_GUARDED"
	guardedStart  = "start"
	guardedResume = "resume"
)

// told is what a child process has said about itself, a word a line.
type told struct {
	ready    bool   // every stage was open, and --fresh is done
	complete bool   // every stage has ended
	handled  uint64 // how much all child processes before it have committed, in messages
	exited   bool   // the process ended of its own will, with this code
	code     int
}

// What a child process says to its guard.
const (
	SaidReady    = "ready"
	SaidComplete = "complete"
	saidHandled  = "handled "
	saidExit     = "exit "
)

func parseTold(text string) (t told) {
	for line := range strings.Lines(text) {
		switch line = strings.TrimSuffix(line, "\n"); line {
		case SaidReady:
			t.ready = true
		case SaidComplete:
			t.complete = true
		default:
			if _, err := fmt.Sscanf(line, saidExit+"%d", &t.code); err == nil {
				t.exited = true
			}
			_, _ = fmt.Sscanf(line, saidHandled+"%d", &t.handled) // what cannot be read is no progress
		}
	}
	return t
}
