package stages

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"penstock/engine"
)

// Files says which files a source reads, and what it does with those that it
// cannot read as they are.
//
// A file that begins as gzip, bzip2 or zstd is decompressed, whatever its name
// is. Other compressed files (xz, lz4, zip and so on) stop the pipeline with an
// error that names the file.
type Files struct {
	// Roots are files and directories, or symbolic links to them. A file named
	// here is read whatever Match says; a directory is walked, and of what it
	// holds the regular files are read that Match takes. Pipes, sockets and
	// devices in it are left out.
	//
	// A symbolic link in a directory is read as the regular file that it leads
	// to. One that leads to nothing or to a directory, or that belongs to another
	// user than this one and root, is an error that names it. A file that has two
	// names is read twice.
	Roots []string
	// Match says whether a file, or a symbolic link, found in a directory is
	// read, by its path (root included). Default: all.
	Match func(path string) bool
	// MaxLine is the longest line in bytes, without its newline. What happens
	// to a longer one LongLines says. Default 1 MiB; at most 1 GiB.
	MaxLine int
	// LongLines says what happens to a line that is longer than MaxLine, or
	// than a message of the server may be (8 MiB with the embedded one). With it
	// engine.OnUnfit is not asked. Default StopAtLongLines.
	LongLines LongLines
	// AcceptChanges lets a source go on that finds other files than it left.
	// Default: it refuses, see Lines. With it the files are taken as they are
	// now, and what was emitted stays emitted:
	//   - a file that was read and is gone or changed is not read again,
	//   - a file that is new and sorts before the place is not read,
	//   - a file that is gone and was not begun is not read,
	//   - when the file at the place is gone, the next one is read,
	//   - when it was replaced, changed or cut before the place, it is read
	//     again from its beginning, so that some of its lines may come twice.
	// Each change is logged.
	AcceptChanges bool
}

// LongLines is what happens to lines that are longer than Files.MaxLine, or than
// a message of the server may be.
type LongLines string

const (
	// StopAtLongLines stops the pipeline with an error that names the file, the
	// line and its size.
	StopAtLongLines LongLines = "stop"
	// SkipLongLines leaves such lines out. They are counted in the source's
	// state (LinesState.Skipped) and in its status (StageStatus.Dropped), and
	// logged: the first ten, then the 100th, the 1,000th and so on.
	SkipLongLines LongLines = "skip"
	// LetterLongLines makes each of them a dead letter with its first bytes, at
	// most 64 KiB, and goes on behind it.
	LetterLongLines LongLines = "letter"
)

func (l LongLines) check() error {
	switch l {
	case "", StopAtLongLines, SkipLongLines, LetterLongLines:
		return nil
	}
	return engine.Fatal(fmt.Errorf("Files.LongLines is %q: use %q, %q or %q", l, StopAtLongLines, SkipLongLines, LetterLongLines))
}

// passes says that the source goes on behind a line that is too long.
func (l LongLines) passes() bool { return l == SkipLongLines || l == LetterLongLines }

// Extensions returns a Match for Files that takes the files whose name ends
// in one of these, such as ".go".
func Extensions(extensions ...string) func(path string) bool {
	extensions = slices.Clone(extensions)
	return func(path string) bool {
		return slices.ContainsFunc(extensions, func(e string) bool { return strings.HasSuffix(path, e) })
	}
}

// Check returns the error that a source of these files would begin with: one of
// them is missing, or cannot be read as it is. A program calls it before
// engine.Pipeline.Run, which deletes a complete earlier run. It opens no file and
// changes nothing.
func (f Files) Check() error {
	if err := f.LongLines.check(); err != nil {
		return err
	}
	_, err := f.list(slog.New(slog.DiscardHandler))
	return err
}

// list returns the paths of all files, sorted by their bytes: an order that a
// resumed source finds again.
func (f Files) list(log *slog.Logger) ([]string, error) {
	if len(f.Roots) == 0 {
		return nil, engine.Fatal(errors.New("there are no files to read: name at least one file or directory"))
	}
	var paths []string
	for _, root := range f.Roots {
		root = filepath.Clean(root)
		info, err := os.Stat(root)
		switch {
		case err != nil:
			return nil, unreadable("find", err)
		case info.IsDir():
			if paths, err = f.walk(log, root, paths); err != nil {
				return nil, err
			}
		case info.Mode().IsRegular():
			paths = append(paths, root)
		default:
			return nil, notRegular(root)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

func notRegular(path string) error {
	return engine.Fatal(fmt.Errorf("read %s: it is not a regular file and cannot be read again after a restart: copy it to a regular file first", path))
}

func (f Files) walk(log *slog.Logger, root string, paths []string) ([]string, error) {
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(root, name), err)
		}
		path := filepath.Join(root, filepath.FromSlash(name))
		isTaken := entry.Type().IsRegular() && (f.Match == nil || f.Match(path))
		if entry.Type()&fs.ModeSymlink != 0 {
			if isTaken, err = f.takesLink(log, path); err != nil {
				return err
			}
		}
		if isTaken {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, unreadable("walk", err)
	}
	return paths, nil
}

// unreadable tells failures that a retry may mend from those it cannot.
func unreadable(operation string, err error) error {
	err = fmt.Errorf("%s the files to read: %w", operation, err)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return engine.Fatal(err)
	}
	return err
}
