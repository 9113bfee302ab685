package tests

import (
	"os"
	"strings"
	"testing"
)

// The README's Go is part of an example that is compiled and run.
func TestReadmeShowsACompiledExample(t *testing.T) {
	t.Parallel()
	_, rest, found := strings.Cut(read(t, "../README.md"), "```go\n")
	shown, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the README has no block of Go")
	}
	var compiled strings.Builder
	for line := range strings.Lines(read(t, "../engine/example_readme_test.go")) {
		compiled.WriteString(strings.TrimPrefix(line, "\t"))
	}
	if !strings.Contains(compiled.String(), shown) {
		t.Errorf("engine/example_readme_test.go does not hold what the README shows:\n%s", shown)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
