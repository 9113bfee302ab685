package tests

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// widest is how many characters a line of a comment may have.
const widest = 120

// A comment fits beside the code that it is about.
func TestCommentsAreNotTooWide(t *testing.T) {
	t.Parallel()
	comments := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "vendor"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		number := 0
		for line := range strings.Lines(string(data)) {
			number++
			text, found := strings.CutPrefix(strings.TrimSpace(line), "// ") // not what is indented: code
			if !found || strings.HasPrefix(text, "\t") {
				continue
			}
			comments++
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > widest {
				t.Errorf("%s:%d: a comment of %d characters: break it after %d", path, number, n, widest)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if comments < 5000 {
		t.Errorf("only %d lines of comments were read", comments)
	}
}
