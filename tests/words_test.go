package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ofTheCommand finds a flag or a verb of the command.
var ofTheCommand = regexp.MustCompile(`(^|[^-\w])--[a-z][a-z-]+|pipeline (run|state|events|dlq|graph|replay-telemetry|doctor|repair|nats-permissions|version)\b`)

// The library does not speak the command's flags: a user's program may have none.
func TestTheLibraryDoesNotSpeakTheCommandsFlags(t *testing.T) {
	t.Parallel()
	texts := 0
	for _, root := range []string{"engine", "checkpoint", "dlq", "stages", "telemetry", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) == "hint" {
				return err
			}
			switch {
			case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
				texts += checkGo(t, path)
			case strings.HasSuffix(path, ".js") && strings.Contains(path, "app"):
				data, err := os.ReadFile(path)
				if found := regexp.MustCompile(`--(telemetry|peek|fresh|nats|dir)\b|pipeline (state|dlq|run|doctor|events)\b`).Find(data); err != nil || found != nil {
					t.Errorf("%s: %s: %v", path, found, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if texts < 1000 {
		t.Errorf("only %d texts were looked at", texts)
	}
}

// checkGo looks at the texts of a file; comments may speak of the command.
func checkGo(t *testing.T, path string) (texts int) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		text, ok := n.(*ast.BasicLit)
		if !ok || text.Kind != token.STRING {
			return true
		}
		texts++
		if found := ofTheCommand.FindString(text.Value); found != "" {
			t.Errorf("%s: %q speaks of the command's %q: name the field or function of the library, see package remedy",
				files.Position(text.Pos()), text.Value, strings.Trim(found, "\"` ("))
		}
		return true
	})
	return texts
}

// unclear finds phrases that a tired reader stumbles over.
var unclear = regexp.MustCompile(`(?i)\b(somebody|someone|whoever|nobody|anybody|for ever|what has come|once and for all|by and by|moreover|hence)\b`)

// Pages, texts and comments name who acts, and say it in the usual words.
func TestPagesTextsAndCommentsArePlain(t *testing.T) {
	t.Parallel()
	pages, sources := 0, 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "vendor" || d.Name() == "tests" && path != ".."):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".md") && d.Name() != "CHANGELOG.md":
			pages++
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"), strings.HasSuffix(path, ".js"), strings.HasSuffix(path, ".html"):
			sources++
		default:
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		number := 0
		for line := range strings.Lines(string(data)) {
			number++
			if found := unclear.FindString(line); found != "" {
				t.Errorf("%s:%d: %q: name who acts, or say it without", path, number, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages < 30 || sources < 400 {
		t.Errorf("only %d pages and %d sources were read", pages, sources)
	}
}
