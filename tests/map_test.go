package tests

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The map of docs/design.md names every package with a sentence and nothing that is not there, and so do its tables of files.
func TestTheMapShowsTheTree(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	shown := mapOf(t, page)
	for _, p := range list(t) {
		dir := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "penstock"), "/")
		if !slices.ContainsFunc(shown, func(s string) bool { return s == dir || isBelow(dir, s) && isWhole(s) }) {
			t.Errorf("docs/design.md: the map does not show %s", dir)
		}
	}
	for _, dir := range shown {
		if info, err := os.Stat(filepath.Join("..", dir)); err != nil || !info.IsDir() {
			t.Errorf("docs/design.md: the map shows %s, which is not there", dir)
		}
	}
	checkFiles(t, page)
}

// isWhole says whether the map shows a directory as one thing, with what is below it.
func isWhole(dir string) bool { return dir == "tests" || dir == "examples" }

func isBelow(dir, above string) bool { return strings.HasPrefix(dir, above+"/") }

// mapOf reads the map: a directory a line, indented below the one that holds it.
func mapOf(t *testing.T, page string) (shown []string) {
	t.Helper()
	_, page, found := strings.Cut(page, "\n## The packages\n")
	if !found {
		t.Fatal("docs/design.md has no map")
	}
	line := regexp.MustCompile(`^ {4}( *)([a-z/]+)/ +(\S.*)$`)
	var above []string
	for text := range strings.Lines(page) {
		if strings.HasPrefix(text, "Imports point") {
			break
		}
		m := line.FindStringSubmatch(strings.TrimRight(text, "\n"))
		if m == nil {
			continue
		}
		depth := len(m[1]) / 4
		above = append(above[:min(depth, len(above))], m[2])
		shown = append(shown, strings.Join(above, "/"))
	}
	if len(shown) < 20 {
		t.Fatalf("the map shows only %d directories: %v", len(shown), shown)
	}
	return shown
}

// checkFiles looks for every file that the page names.
func checkFiles(t *testing.T, page string) {
	t.Helper()
	var files []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		files = append(files, filepath.ToSlash(path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z_/*]+\\.go)`").FindAllStringSubmatch(page, -1)
	if len(named) < 50 {
		t.Errorf("only %d files are named", len(named))
	}
	for _, m := range named {
		if !slices.ContainsFunc(files, func(f string) bool {
			ok, err := filepath.Match(m[1], lastParts(f, strings.Count(m[1], "/")+1))
			return err == nil && ok
		}) {
			t.Errorf("docs/design.md names %s, which is not there", m[1])
		}
	}
}

// lastParts is the end of a path.
func lastParts(path string, n int) string {
	parts := strings.Split(path, "/")
	return strings.Join(parts[max(len(parts)-n, 0):], "/")
}
