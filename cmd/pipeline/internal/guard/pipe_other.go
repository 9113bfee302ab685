//go:build !unix

package guard

import "os"

// Serve returns ErrUnsupported.
func Serve(Config) error { return ErrUnsupported }

// Pipe is nil: there are no guards.
type Pipe struct{}

// OpenPipe returns nil.
func OpenPipe() (*Pipe, error) { return nil, nil }

// Resumes is false.
func (*Pipe) Resumes() bool { return false }

// Say does nothing.
func (*Pipe) Say(string) {}

// SayHandled does nothing.
func (*Pipe) SayHandled(uint64) {}

// Exit ends the process.
func (*Pipe) Exit(code int) { os.Exit(code) }

// Signals are those that come directly.
func (*Pipe) Signals(direct <-chan os.Signal) <-chan os.Signal { return direct }
