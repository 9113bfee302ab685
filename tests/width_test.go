package tests

import (
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// widest is how many characters a line of a comment or of a page's text may have.
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

// The text of a page has one width. Not counted: code blocks, tables, what a program writes (figures) and a line that
// one word fills, such as a link. The list of changes is left out: it is written by many at once.
func TestPagesAreNotTooWide(t *testing.T) {
	t.Parallel()
	lines := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "vendor"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".md"), d.Name() == "CHANGELOG.md":
			return nil
		}
		for number, line := range textOf(read(t, path)) {
			lines++
			if n := utf8.RuneCountInString(line); n > widest && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s:%d: a line of %d characters: break it after %d", path, number, n, widest)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if lines < 1000 {
		t.Errorf("only %d lines of pages were read", lines)
	}
}

// textOf returns the lines of a page's text by their numbers, without code blocks, tables and figures.
func textOf(page string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		number, code, figures := 0, false, false
		for line := range strings.Lines(page) {
			number++
			line = strings.TrimRight(line, "\r\n")
			switch {
			case strings.HasPrefix(line, "```"):
				code = !code
			case strings.HasSuffix(line, ": begin -->"):
				figures = true
			case strings.HasSuffix(line, ": end -->"):
				figures = false
			case code, figures, strings.HasPrefix(line, "|"), strings.HasPrefix(line, "    "), strings.HasPrefix(line, "!["):
			case !yield(number, line):
				return
			}
		}
	}
}
