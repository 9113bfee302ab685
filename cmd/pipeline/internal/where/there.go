package where

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"penstock/cmd/pipeline/internal/app"
)

// notThere is fs.ErrNotExist of a data directory.
type notThere struct{ dir string }

func (e *notThere) Error() string {
	return e.dir + " is not a data directory: no pipeline has run there yet; name another directory with --dir or --pipeline"
}

// Unwrap gives fs.ErrNotExist.
func (e *notThere) Unwrap() error { return fs.ErrNotExist }

// NotThere says that no pipeline has run in a directory.
func NotThere(dir string) error { return app.CouldNotLook(&notThere{dir}) }

// checkName refuses the name of a pipeline that neither the program nor the default directory knows. The letters of
// any pipeline may be on a server.
func (f *Flags) checkName(p app.Program, dir string) error {
	if f.Pipeline == "" || f.Place.Dir != "" || f.NATS.NATS != "" || slices.Contains(p.Pipelines(), f.Pipeline) {
		return nil
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return app.CouldNotLook(fmt.Errorf("no pipeline %s has run: there is no directory %s; the pipelines of this program are %s",
		f.Pipeline, dir, strings.Join(p.Pipelines(), ", ")))
}
