package app

import (
	"context"
	"sync"
	"time"

	"penstock/cmd/pipeline/internal/guard"
)

// lastWords is how long the message of a second signal may take: a terminal
// that is paused must not keep the process.
const lastWords = time.Second

// Interruptible returns a context that the first signal cancels; first tells
// so. A second signal ends the process. release must be called, and waits.
func (a *Invocation) Interruptible(first func()) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	released := make(chan struct{})
	watching.Go(func() {
		select {
		case s := <-a.Signals:
			if gone, ok := s.(guard.Gone); ok && a.Log != nil {
				a.Log.Warn(gone.String())
			}
		case <-released:
			return
		}
		cancel()
		first()
		select {
		case <-a.Signals:
			a.leave()
		case <-released:
		}
	})
	return ctx, func() {
		close(released)
		watching.Wait()
		cancel()
	}
}

// leave ends the process without waiting for anything.
func (a *Invocation) leave() {
	told := make(chan struct{})
	go func() {
		defer close(told)
		const text = "stopped at once by a second signal; nothing is lost, the next run resumes from the last commit"
		if a.Log != nil {
			a.Log.Warn(text)
		} else {
			_, _ = a.Stderr.Write([]byte(a.Name() + ": " + text + "\n"))
		}
	}()
	select {
	case <-told:
	case <-time.After(lastWords):
	}
	a.Exit(ExitFailed)
}
