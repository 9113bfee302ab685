package tests

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a reader can hold in mind at a time. Not held to it: tests, which tell a story or are tables, and package tests.
const (
	longestFile     = 300 // lines
	longestFunction = 50  // lines
	largestStruct   = 20  // fields, each embedded struct is one
)

// larger are the structs that may have more fields, and why.
var larger = map[string]string{
	"engine.Config":                "one field for each thing that a user may set",
	"telemetry/record.StageSample": "the wire form of a sample, of which each number is a curve",
}

func TestNothingIsTooLarge(t *testing.T) {
	t.Parallel()
	files, used := 0, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "vendor" || path == "../tests"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, found := range tooLarge(t, path, data, used) {
			t.Errorf("%s: %s", path, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 400 {
		t.Errorf("only %d files were read", files)
	}
	for name := range larger {
		if !used[name] {
			t.Errorf("%s needs no exception: take it off the list", name)
		}
	}
}

// What is too large is found, and nothing else.
func TestWhatIsTooLargeIsFound(t *testing.T) {
	t.Parallel()
	fields := "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s int\n fmt.Stringer\n"
	for source, want := range map[string]int{
		"type fits struct {" + fields + "}":                        0,
		"type large struct {" + fields + "more int\n}":             1,
		"func fits() {" + strings.Repeat("\n", 49) + "}":           0,
		"func long() {" + strings.Repeat("\n", 50) + "}":           1,
		strings.Repeat("\n", 298):                                  0,
		strings.Repeat("\n", 299):                                  1,
		"var f = func() { type t struct {" + fields + "u int\n} }": 1,
	} {
		if found := tooLarge(t, "a.go", []byte("package a\n"+source+"\n"), nil); len(found) != want {
			t.Errorf("%.40q: found %q, want %d", source, found, want)
		}
	}
}

func tooLarge(t *testing.T, path string, data []byte, used map[string]bool) (found []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, data, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("\n")); n > longestFile {
		found = append(found, fmt.Sprintf("%d lines, at most %d: move one concept into a file of its own", n, longestFile))
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if lines := set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1; lines > longestFunction {
				found = append(found, fmt.Sprintf("%s has %d lines, at most %d", n.Name.Name, lines, longestFunction))
			}
		case *ast.TypeSpec:
			s, is := n.Type.(*ast.StructType)
			if !is || s.Fields.NumFields() <= largestStruct {
				return true
			}
			name := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../"))) + "." + n.Name.Name
			if larger[name] == "" {
				found = append(found, fmt.Sprintf("%s has %d fields, at most %d: give those that belong together a struct of their own", n.Name.Name, s.Fields.NumFields(), largestStruct))
				return true
			}
			used[name] = true
		}
		return true
	})
	return found
}
