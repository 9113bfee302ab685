package stages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"penstock/engine"
)

// ChecksEnd has a source that is at its end look at its files once more at each
// start, until the run is complete; see engine.EndChecker.
func (*LinesState) ChecksEnd() {}

// checkAtEnd refuses files that are not as they were when the source ended: they
// are the input of a run that is not complete yet. It returns io.EOF for those
// that are.
func (f Files) checkAtEnd(ctx context.Context, state *LinesState) error {
	what, err := f.changesAtEnd(ctx, state)
	switch {
	case f.AcceptChanges && (what != "" || errors.Is(err, fs.ErrNotExist)):
		engine.Logger(ctx).Warn("the files have changed after they were read; continuing, since changes are accepted", "changes", what, "error", err)
	case err != nil:
		return err
	case what != "":
		return refused(what)
	}
	return io.EOF
}

func (f Files) changesAtEnd(ctx context.Context, state *LinesState) (string, error) {
	path := state.path()
	if state.List.Count == 0 && path != "" {
		return "", nil // an older version did not note what identifies them
	}
	files, err := f.list(engine.Logger(ctx))
	if err != nil {
		return "", err
	}
	if changes, err := state.List.changes(files, path); err != nil || len(changes) > 0 {
		return few(changes), err
	}
	if len(files) == 0 || !state.File.Known {
		return "", nil
	}
	what, err := state.lastChanged(path == files[len(files)-1])
	if what != "" {
		what = path + ": " + what
	}
	return what, err
}

// lastChanged says in which way the file at the place is another one than it was.
// The last of all is read to its end, unless the stages behind took no more.
func (s *LinesState) lastChanged(isLast bool) (string, error) {
	file, err := os.OpenFile(s.path(), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", unreadable("open", err)
	}
	defer file.Close()
	c := &content{File: file}
	if c.info, err = c.Stat(); err != nil {
		return "", err
	}
	if !c.info.Mode().IsRegular() {
		return "", notRegular(s.path())
	}
	if c.unpacked, err = newUnpacked(s.path(), file); err != nil {
		return "", err
	}
	what, err := s.File.changed(c, s.Offset, true)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", s.path(), err)
	}
	isGrown := c.info.Size() > s.File.Size && (c.unpacked != nil || s.Offset == s.File.Size)
	if what == "" && isLast && isGrown {
		what = fmt.Sprintf("it has %d bytes and had %d when it was read to its end", c.info.Size(), s.File.Size)
	}
	return what, nil
}
