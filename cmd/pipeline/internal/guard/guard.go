//go:build unix

package guard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"penstock/engine/supervise"
)

// guard keeps a child process: a process with the same command line, which runs the
// pipeline. It starts another one when a child process has died. It opens nothing of
// the pipeline's, so that hardly anything can happen to it.
type guard struct {
	Config

	mu       sync.Mutex
	child    *child // the one that runs, or nil
	stopping bool   // a signal has come: no more child processes
	giveUp   context.CancelFunc

	// Of the goroutine that runs the child process, and afterwards of serve.
	last     *ended
	resume   bool // a child process was ready
	restarts int

	handled  uint64        // as the last child process found it
	progress atomic.Uint64 // how many child processes began further on than the one before
}

// Serve guards until the end, and returns it: an [Exit] is the code of the last child process.
func Serve(c Config) error { return (&guard{Config: c}).serve() }

func (g *guard) serve() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	g.giveUp = cancel
	release := g.passSignals()
	supervisor := &supervise.Supervisor{
		Children: []supervise.Child{{Name: "process", Serve: g.live, Backoff: g.Backoff, Progress: g.progress.Load}},
		Limit:    g.Limit,
		OnEvent:  g.tell,
	}
	err := supervisor.Serve(ctx)
	release()
	return g.conclude(err)
}

// live is the life of one child process. A death is an error. The context does not
// matter: it ends while no child process runs.
func (g *guard) live(context.Context) error {
	w, err := g.start()
	if w == nil {
		return err
	}
	end := w.wait()
	g.mu.Lock()
	g.child = nil
	stopping := g.stopping
	g.mu.Unlock()
	g.last, g.resume = end, g.resume || end.told.ready
	if end.told.handled > g.handled {
		g.progress.Add(1)
		g.handled = end.told.handled
	}
	if end.told.exited || end.told.complete || stopping {
		return nil
	}
	return &deathError{end}
}

// start returns nil if there is to be no child process any more.
func (g *guard) start() (*child, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping {
		return nil, nil
	}
	mode := guardedStart
	if g.resume {
		mode = guardedResume
	}
	cmd, err := g.Command()
	if err == nil {
		g.child, err = startChild(cmd, mode)
	}
	if err != nil {
		err = fmt.Errorf("start the child process: %w", err)
		if g.last == nil { // it never worked: trying again is no use
			err = supervise.Fatal(err)
		}
		return nil, err
	}
	g.Log.Debug("child process started", "pid", g.child.pid())
	return g.child, nil
}

// passSignals passes signals on until release is called, which waits.
func (g *guard) passSignals() (release func()) {
	// Who started the command without hangups, such as nohup, means it.
	var others []os.Signal
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			others = append(others, s)
		}
	}
	more := make(chan os.Signal, 2)
	if len(others) > 0 {
		signal.Notify(more, others...)
	}
	released := make(chan struct{})
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			select {
			case s := <-g.Signals:
				g.pass(s)
			case s := <-more:
				g.pass(s)
			case <-released:
				return
			}
		}
	})
	return func() {
		signal.Stop(more)
		close(released)
		passing.Wait()
	}
}

func (g *guard) pass(s os.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopping = true
	if g.child == nil {
		g.Log.Info("stopping; no child process is running", "signal", s)
		g.giveUp()
		return
	}
	g.child.pass(s)
}

// tell logs a death that is followed by another life.
func (g *guard) tell(e supervise.Event) {
	if e.Kind != supervise.BackingOff {
		return
	}
	g.restarts++
	delay := e.Delay.Round(time.Millisecond)
	var death *deathError
	if !errors.As(e.Err, &death) {
		g.Log.Error("cannot start the child process; trying again", "error", e.Err, "restart", g.restarts, "delay", delay)
		return
	}
	g.Log.Error("the child process died; starting it again", "pid", death.pid, "end", death.how(), "ran", death.ran, "restart", g.restarts, "delay", delay)
}

// conclude says how the command ends when the last child process has.
func (g *guard) conclude(err error) error {
	var over *supervise.LimitError
	switch {
	case errors.As(err, &over):
		return fmt.Errorf("the guard gives up: the child process died %d times within %v (--guard-restarts %d, --guard-window %v), the last time %w; nothing is lost, the next run resumes from the last commit",
			over.Limit.Restarts+1, over.Limit.Window, over.Limit.Restarts, over.Limit.Window, over.Cause)
	case g.last == nil && g.stopping:
		return nil
	case g.last == nil:
		return err
	case g.last.told.exited:
		return exitOf(g.last.told.code)
	case g.last.told.complete:
		g.Log.Warn("the child process died after the run was complete; it is not started again", "pid", g.last.pid, "end", g.last.how())
		return nil
	}
	g.Log.Warn("the child process died while stopping after a signal, so it is not started again; nothing is lost, the next run resumes from the last commit",
		"pid", g.last.pid, "end", g.last.how(), "ran", g.last.ran)
	return exitOf(g.last.code())
}
