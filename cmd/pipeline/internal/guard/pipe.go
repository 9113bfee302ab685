//go:build unix

package guard

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"penstock/cmd/pipeline/internal/flags"
)

// The files that a child process gets from its guard.
const (
	reportFile = 3 // the child process tells what became of it
	orderFile  = 4 // the guard passes signals on, a byte each; its end is the guard's
)

// Pipe is a child process's connection to its guard. A nil Pipe is that of a process
// without one. Safe for concurrent use.
type Pipe struct {
	orders *os.File
	resume bool // the child process before was ready: go on with what it left

	mu     sync.Mutex
	report *os.File
}

// OpenPipe returns the pipe of this process, or nil. Programs that the process
// starts do not inherit it.
func OpenPipe() (*Pipe, error) {
	mode, set := os.LookupEnv(Variable)
	if !set {
		return nil, nil
	}
	if err := os.Unsetenv(Variable); err != nil {
		return nil, err
	}
	for _, fd := range []int{reportFile, orderFile} {
		var stat syscall.Stat_t
		if err := syscall.Fstat(fd, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
			return nil, flags.Usage("$%s is set, but no guard started this process: unset it; only --guard sets it", Variable)
		}
		syscall.CloseOnExec(fd)
	}
	return &Pipe{
		orders: os.NewFile(orderFile, "orders of the guard"),
		resume: mode == guardedResume,
		report: os.NewFile(reportFile, "report to the guard"),
	}, nil
}

// Resumes says whether the child process goes on with what one before it left.
func (l *Pipe) Resumes() bool { return l != nil && l.resume }

// Say tells the guard. That it is gone is heard elsewhere.
func (l *Pipe) Say(word string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.report.WriteString(word + "\n")
}

// SayHandled tells the guard how many messages the run that goes on here has committed: a child process that begins
// further on than the one before follows one that made progress.
func (l *Pipe) SayHandled(messages uint64) {
	l.Say(fmt.Sprintf("%s%d", saidHandled, messages))
}

// Exit ends the process in an orderly way: without these last words it has
// died.
func (l *Pipe) Exit(code int) {
	l.Say(fmt.Sprintf("%s%d", saidExit, code))
	os.Exit(code)
}

// Signals adds those that the guard passes on to those that come directly. Its
// goroutines stay until the end of the process, like those of os/signal.
func (l *Pipe) Signals(direct <-chan os.Signal) <-chan os.Signal {
	passed, merged := make(chan os.Signal), make(chan os.Signal, 2)
	go l.listen(passed)
	go func() {
		var t tally
		for {
			var s os.Signal
			var isNew bool
			select {
			case s = <-direct:
				isNew = t.countDirect()
			case order, open := <-passed:
				if s, isNew = order, open && t.countPassed(); !open {
					s, isNew, passed = Gone{}, t.countGone(), nil
				}
			}
			if isNew {
				select {
				case merged <- s:
				default: // two are under way, and a third changes nothing
				}
			}
		}
	}()
	return merged
}

func (l *Pipe) listen(passed chan<- os.Signal) {
	defer close(passed)
	order := make([]byte, 1)
	for {
		if n, err := l.orders.Read(order); n == 0 || err != nil {
			return
		}
		passed <- syscall.Signal(order[0])
	}
}
