package cli

import (
	"context"
	"sync"
	"time"

	"penstock/cmd/pipeline/internal/guard"
)

// lastWords is how long the message of a second signal may take: a terminal
// that is paused must not keep the process.
const lastWords = time.Second

// interruptible returns a context that the first signal cancels; first tells
// so. A second signal ends the process. release must be called, and waits.
func (a *app) interruptible(first func()) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	released := make(chan struct{})
	watching.Go(func() {
		select {
		case s := <-a.signals:
			if gone, ok := s.(guard.Gone); ok && a.log != nil {
				a.log.Warn(gone.String())
			}
		case <-released:
			return
		}
		cancel()
		first()
		select {
		case <-a.signals:
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
func (a *app) leave() {
	told := make(chan struct{})
	go func() {
		defer close(told)
		const text = "stopped at once by a second signal; nothing is lost, the next run goes on from the last commit"
		if a.log != nil {
			a.log.Warn(text)
		} else {
			_, _ = a.stderr.Write([]byte(a.name() + ": " + text + "\n"))
		}
	}()
	select {
	case <-told:
	case <-time.After(lastWords):
	}
	a.exit(exitFailed)
}
