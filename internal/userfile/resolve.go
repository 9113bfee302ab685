package userfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrForeign says that another user has put something where a path leads.
var ErrForeign = errors.New("of another user")

// ErrKind says that there is something in the place of a regular file.
var ErrKind = errors.New("not a regular file")

// linksMost bounds the links of one path, as Linux does.
const linksMost = 40

// Place is where a path leads.
type Place struct {
	Path     string      // without links
	Info     fs.FileInfo // nil: nothing is there
	Dangling string      // the link on the path that leads to nothing, or ""
}

// Resolve follows the links of a path that belong to the user or to root. It
// returns an error that wraps ErrForeign for a link of another user, wherever on
// the path, and one that names the link for those that lead in a circle. What is
// not there is no error.
func Resolve(path string) (Place, error) {
	if path == "" {
		return Place{}, errors.New("the name of the file is empty")
	}
	w := walk{links: linksMost}
	w.enter(path)
	for len(w.rest) > 0 {
		if err := w.step(); err != nil || w.missing {
			return Place{w.at, nil, w.dangling()}, err
		}
	}
	info, err := os.Lstat(w.at)
	return Place{Path: w.at, Info: info}, err
}

// walk goes along a path, name by name.
type walk struct {
	at      string   // has no links
	rest    []string // names to go
	links   int      // that may still come
	last    string   // link that was followed
	ofLink  int      // names in rest that are of it
	missing bool     // nothing is at the end of at
}

// enter puts the names of a path in front of those to go.
func (w *walk) enter(path string) {
	if filepath.IsAbs(path) {
		w.at = filepath.VolumeName(path) + string(filepath.Separator)
	} else if w.at == "" {
		w.at = "."
	}
	names := strings.FieldsFunc(filepath.ToSlash(path[len(filepath.VolumeName(path)):]), func(r rune) bool { return r == '/' })
	w.rest, w.ofLink = append(names, w.rest...), len(names)
}

func (w *walk) dangling() string {
	if w.missing && w.ofLink >= 0 {
		return w.last
	}
	return ""
}

func (w *walk) step() error {
	name := w.rest[0]
	w.rest, w.ofLink = w.rest[1:], w.ofLink-1
	next := filepath.Join(w.at, name) // a name of .. leaves a directory and no link
	info, err := os.Lstat(next)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.at, w.missing = filepath.Join(append([]string{next}, w.rest...)...), true
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink == 0:
		w.at = next
		return nil
	case isForeign(info):
		return fmt.Errorf("%s is a symbolic link %w: name another path, or remove the link", next, ErrForeign)
	case w.links == 0:
		return fmt.Errorf("%s is a symbolic link that leads in a circle: remove it, or name another path", next)
	}
	target, err := os.Readlink(next)
	if err != nil {
		return err
	}
	w.links--
	w.last = next
	w.enter(target)
	return nil
}

// isShared says that everybody may put something into the directory of a file.
func isShared(file string) bool {
	info, err := os.Stat(filepath.Dir(file))
	return err == nil && (info.Mode()&fs.ModeSticky != 0 || info.Mode().Perm()&0o002 != 0)
}
