//go:build unix

package guard

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// child is the process that runs the pipeline, as its guard sees it.
type child struct {
	cmd     *exec.Cmd
	started time.Time
	report  *os.File // what it tells
	orders  *os.File // signals for it
}

// startChild starts it with the files that the pipe needs.
func startChild(cmd *exec.Cmd, mode string) (*child, error) {
	report, reportEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	orderEnd, orders, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, report.Close(), reportEnd.Close())
	}
	cmd.Env = append(cmd.Environ(), Variable+"="+mode)
	cmd.ExtraFiles = []*os.File{reportEnd, orderEnd} // 3 and 4
	w := &child{cmd: cmd, started: time.Now(), report: report, orders: orders}
	err = errors.Join(cmd.Start(), reportEnd.Close(), orderEnd.Close())
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *child) pid() int { return w.cmd.Process.Pid }

// pass passes a signal on. One that stops goes over the pipe, where it can be
// told from the same signal that a terminal has sent to both processes. A
// child process that has ended needs none.
func (w *child) pass(s os.Signal) {
	switch s {
	case os.Interrupt, syscall.SIGTERM:
		_, _ = w.orders.Write([]byte{byte(s.(syscall.Signal))})
	default:
		_ = w.cmd.Process.Signal(s)
	}
}

// wait returns how it ended.
func (w *child) wait() *ended {
	_ = w.cmd.Wait() // the state says it
	e := &ended{
		pid:   w.pid(),
		ran:   time.Since(w.started).Round(time.Millisecond),
		state: w.cmd.ProcessState,
		told:  parseTold(readAvailable(w.report)),
	}
	w.close()
	return e
}

func (w *child) close() {
	_ = w.report.Close()
	_ = w.orders.Close()
}

// readAvailable reads what is in a pipe already. It does not wait for the end:
// a program that the child process left behind might hold it open.
func readAvailable(pipe *os.File) string {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return ""
	}
	text := make([]byte, 256) // all that a child process can say
	n := 0
	_ = raw.Read(func(fd uintptr) bool {
		for {
			if n, err = syscall.Read(int(fd), text); !errors.Is(err, syscall.EINTR) {
				return true
			}
		}
	})
	return string(text[:max(n, 0)])
}

// ended is how a child process ended.
type ended struct {
	pid   int
	ran   time.Duration
	state *os.ProcessState
	told  told
}

// how says it in words.
func (e *ended) how() string {
	if e.state.ExitCode() == 2 { // that of the Go runtime
		return e.state.String() + " (a panic or a fatal error)"
	}
	return e.state.String()
}

// code is the exit code of a shell for such an end.
func (e *ended) code() int {
	if status, ok := e.state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return e.state.ExitCode()
}

// deathError is the end of a child process that did not end of its own will.
type deathError struct{ *ended }

// Error tells the process, how it ended, and how long it ran.
func (e *deathError) Error() string {
	return fmt.Sprintf("process %d: %s, after %v", e.pid, e.how(), e.ran)
}
