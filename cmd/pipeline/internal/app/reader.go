package app

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
)

// ExitReader is how a shell reports a process that wrote to a pipe without a reader: 128 and the number of the signal.
const ExitReader = 128 + 13

// OutliveReader has a write to standard output fail when its reader has gone, as after `| head -1`. Without it the
// process dies of a signal there, and leaves its copies behind.
func (a *Invocation) OutliveReader() {
	if a.Stdout == os.Stdout { // else it is no process of its own
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	}
}

// isReaderGone says that this is why a write failed: no error for people, who have seen what they wanted.
func isReaderGone(err error) bool {
	var failed *fs.PathError
	return errors.Is(err, syscall.EPIPE) && errors.As(err, &failed) && failed.Path == os.Stdout.Name()
}
