package stages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/stages"
)

// aLife reads with a state that was saved, until a line comes for which until
// is true, the end, or an error.
func aLife(t *testing.T, read linesFunc, state *stages.LinesState, until func(line string) bool) (lines []string, err error) {
	t.Helper()
	*state = saved(t, *state)
	stop := false
	emit := func(line string, _ ...engine.EmitOption) {
		lines = append(lines, line)
		stop = stop || until(line)
	}
	for err == nil && !stop {
		err = read(t.Context(), state, emit)
	}
	return lines, err
}

func contains(part string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, part) }
}

func nothing(string) bool { return false }

// named is n lines that have a name in them.
func named(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s line %06d of this file\n", name, i)
	}
	return b.String()
}

const perFile = 3000 // more than a call reads

func overwrite(path string, at int64, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteAt([]byte(text), at)
	return err
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(text)
	return err
}

// copyBack makes another file of the same content.
func copyBack(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(filepath.Dir(path), "..", "old")); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

func replace(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
