package nofollow

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Glob lists what matches pattern below dir. Unlike filepath.Glob it takes the name of dir as it is: brackets and stars
// in that are no pattern.
func Glob(dir, pattern string) ([]string, error) {
	names, err := fs.Glob(os.DirFS(dir), pattern)
	for k, name := range names {
		names[k] = filepath.Join(dir, filepath.FromSlash(name))
	}
	return names, err
}
