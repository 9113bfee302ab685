package stages_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"penstock/stages"
)

func linkTo(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestALinkInADirectoryIsReadAsItsFile(t *testing.T) {
	t.Parallel()
	root, elsewhere := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(root, "b"), "b\n")
	writeFile(t, filepath.Join(elsewhere, "far"), "far\n")
	linkTo(t, filepath.Join(elsewhere, "far"), filepath.Join(root, "a"))
	linkTo(t, "b", filepath.Join(root, "c"))
	linkTo(t, "a", filepath.Join(root, "d"))
	for _, again := range []func() bool{never, always} {
		if got, want := readAll(t, stages.Lines(root), again), []string{"far", "b", "b", "far"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestALinkThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		target func(t *testing.T, root string) string
		want   []string
	}{
		"to nothing":     {func(*testing.T, string) string { return "missing" }, []string{"leads to nothing", "missing"}},
		"to a directory": {func(t *testing.T, _ string) string { return t.TempDir() }, []string{"a directory", "Files.Match"}},
		"in a circle":    {func(*testing.T, string) string { return "link.go" }, []string{"in a circle"}},
		"to a pipe": {func(t *testing.T, _ string) string {
			path := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, []string{"not a regular file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			writeFile(t, filepath.Join(root, "a.go"), "a\n")
			linkTo(t, test.target(t, root), filepath.Join(root, "link.go"))
			var state stages.LinesState
			lines, err := aLife(t, stages.Lines(root), &state, nothing)
			wantError(t, err, append(test.want, filepath.Join(root, "link.go"))...)
			if len(lines) > 0 {
				t.Errorf("%q came before the error", lines)
			}
			noLinks := stages.Files{Roots: []string{root}, Match: func(path string) bool { return !strings.HasSuffix(path, "link.go") }}
			if got := readAll(t, noLinks.Lines(), never); !slices.Equal(got, []string{"a"}) {
				t.Errorf("without the link: %q", got)
			}
		})
	}
}

// A link that another user has put into the directory may lead to any file that
// this user can read.
func TestALinkOfAnotherUserIsNotFollowed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	link := filepath.Join(root, "link")
	linkTo(t, writeFile(t, filepath.Join(t.TempDir(), "secret"), "secret\n"), link)
	if err := os.Lchown(link, 12345, 12345); err != nil {
		t.Skip("only root may give a link away:", err)
	}
	var state stages.LinesState
	_, err := aLife(t, stages.Lines(root), &state, nothing)
	wantError(t, err, link, "of another user")
}

// What a link leads to is what tells a file from another.
func TestALinkThatLeadsElsewhereHasChanged(t *testing.T) {
	t.Parallel()
	root, elsewhere := t.TempDir(), t.TempDir()
	link := filepath.Join(root, "a")
	linkTo(t, writeFile(t, filepath.Join(elsewhere, "one"), named("one", 2)), link)
	writeFile(t, filepath.Join(root, "b"), named("b", perFile))
	var state stages.LinesState
	if _, err := aLife(t, stages.Lines(root), &state, contains("b line 000001")); err != nil {
		t.Fatal(err)
	}
	before := state
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	linkTo(t, writeFile(t, filepath.Join(elsewhere, "another"), named("another", 3)), link)
	_, err := aLife(t, stages.Lines(root), &state, nothing)
	wantError(t, err, link, "written to after it was read")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	linkTo(t, filepath.Join(elsewhere, "one"), link)
	state = before
	if _, err := aLife(t, stages.Lines(root), &state, nothing); err != io.EOF {
		t.Error(err)
	}
}
