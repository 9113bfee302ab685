package stages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"penstock/engine"
)

// Files says which files a source reads.
type Files struct {
	// Roots are files and directories. A file named here is read whatever
	// Match says; a directory is walked, and of what it holds the regular
	// files are read that Match takes. Symbolic links are followed only when
	// they are named here.
	Roots []string
	// Match says whether a file found in a directory is read, by its path
	// (root included). Default: all.
	Match func(path string) bool
	// MaxLine is the longest line in bytes, without its newline. A longer
	// one stops the pipeline with an error, and so does one that does not
	// fit into a message of the server. Default 1 MiB.
	MaxLine int
}

// Extensions returns a Match for Files that takes the files whose name ends
// in one of these, such as ".go".
func Extensions(extensions ...string) func(path string) bool {
	extensions = slices.Clone(extensions)
	return func(path string) bool {
		return slices.ContainsFunc(extensions, func(e string) bool { return strings.HasSuffix(path, e) })
	}
}

// list returns the paths of all files, sorted by their bytes: an order that a
// resumed source finds again.
func (f Files) list() ([]string, error) {
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
			if paths, err = f.walk(root, paths); err != nil {
				return nil, err
			}
		case info.Mode().IsRegular():
			paths = append(paths, root)
		default:
			return nil, engine.Fatal(fmt.Errorf("read %s: it is no regular file and cannot be read again after a restart: copy it to a file first", root))
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

func (f Files) walk(root string, paths []string) ([]string, error) {
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(root, name), err)
		}
		path := filepath.Join(root, filepath.FromSlash(name))
		if entry.Type().IsRegular() && (f.Match == nil || f.Match(path)) {
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
