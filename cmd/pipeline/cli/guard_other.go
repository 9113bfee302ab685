//go:build !unix

package cli

import (
	"os"
	"runtime"

	"penstock/cmd/pipeline/internal/flags"
)

func (f guardFlags) serve(*app) error {
	return flags.Usage("--guard does not work on %s: leave it out, and let a service manager start the command again", runtime.GOOS)
}

// link is nil: there are no guards.
type link struct{}

func openLink() (*link, error)                                 { return nil, nil }
func (*link) resumes() bool                                    { return false }
func (*link) say(string)                                       {}
func (*link) exit(code int)                                    { os.Exit(code) }
func (*link) signals(direct <-chan os.Signal) <-chan os.Signal { return direct }
