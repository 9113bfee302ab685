//go:build !unix

package guard

import "os"

// Serve returns ErrUnsupported.
func Serve(Config) error { return ErrUnsupported }

// Link is nil: there are no guards.
type Link struct{}

// OpenLink returns nil.
func OpenLink() (*Link, error) { return nil, nil }

// Resumes is false.
func (*Link) Resumes() bool { return false }

// Say does nothing.
func (*Link) Say(string) {}

// SayHandled does nothing.
func (*Link) SayHandled(uint64) {}

// Exit ends the process.
func (*Link) Exit(code int) { os.Exit(code) }

// Signals are those that come directly.
func (*Link) Signals(direct <-chan os.Signal) <-chan os.Signal { return direct }
