package stages_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"penstock/engine"
	"penstock/stages"
)

type linesFunc = engine.SourceFunc[stages.LinesState, string]

// readAll calls a source until its end. Between two calls the state is saved
// and restored when again says so, as a restart does.
func readAll(t interface{ Fatal(...any) }, read linesFunc, again func() bool) []string {
	lines := []string{}
	emit := func(line string, _ ...engine.EmitOption) { lines = append(lines, line) }
	var state stages.LinesState
	for {
		err := read(context.Background(), &state, emit)
		if again() {
			state = saved(t, state)
		}
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func never() bool  { return false }
func always() bool { return true }

// split is what lines are, said in another way.
func split(content string) []string {
	if content == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(content, "\n"), "\n")
}

func TestLinesOfOneFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty":            "",
		"one newline":      "\n",
		"no last newline":  "a\nb",
		"last newline":     "a\nb\n",
		"empty lines":      "\n\na\n\n",
		"carriage returns": "a\r\nb\r\n\r",
		"not UTF-8":        "\xff\xfe\n\x00\x80\n",
		"many":             numbered(5000),
		"many, no newline": strings.TrimSuffix(numbered(5000), "\n"),
		"long lines":       strings.Repeat(strings.Repeat("x", 200_000)+"\n", 5) + strings.Repeat("y", 1<<20),
		"a full buffer":    strings.Repeat("z", 64<<10-1) + "\n" + strings.Repeat("z", 64<<10) + "\n" + strings.Repeat("z", 64<<10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, filepath.Join(t.TempDir(), "file"), content)
			for _, again := range []func() bool{never, always} {
				if got, want := readAll(t, stages.Lines(path), again), split(content); !slices.Equal(got, want) {
					t.Errorf("%d lines, want %d: got %.200q, want %.200q", len(got), len(want), got, want)
				}
			}
		})
	}
}

func TestLinesAreTheSameHoweverOftenResumed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		root, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range rapid.IntRange(0, 6).Draw(t, "files") {
			line := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\n\r\x00\xff")), 0, 40)
			content := bytes.Repeat(line.Draw(t, "line"), rapid.SampledFrom([]int{1, 3, 5000}).Draw(t, "times"))
			if err := os.WriteFile(filepath.Join(root, fmt.Sprint(i)), content, 0o600); err != nil {
				t.Fatal(err)
			}
			want = append(want, split(string(content))...)
		}
		got := readAll(t, stages.Lines(root), func() bool { return rapid.Bool().Draw(t, "restart") })
		if !slices.Equal(got, want) {
			t.Fatalf("%d lines, want %d: got %.200q, want %.200q", len(got), len(want), got, want)
		}
	})
}

func TestLinesOfDirectoriesComeInTheOrderOfTheirPaths(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"b/z.go", "b.go", "b/a/x.go", "b/a.go", "a.txt", "a.go", "b/empty.go", "latin\xe9.go"} {
		content := name + "\n"
		if strings.Contains(name, "empty") {
			content = ""
		}
		writeFile(t, filepath.Join(root, name), content)
	}
	named := filepath.Join(root, "a.txt")
	read := stages.Files{Roots: []string{root, named, root + "/b"}, Match: stages.Extensions(".go", ".mod")}.Lines()
	want := []string{"a.go", "a.txt", "b.go", "b/a.go", "b/a/x.go", "b/z.go", "latin\xe9.go"}
	for _, again := range []func() bool{never, always} {
		if got := readAll(t, read, again); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLinesFollowsANamedLink(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "real", "file"), "here\n")
	link := filepath.Join(root, "link")
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, stages.Lines(link), never); !slices.Equal(got, []string{"here"}) {
		t.Errorf("got %q", got)
	}
}

func TestLinesResumesAPathThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "\xe9t\xe9"), numbered(3000))
	if got := readAll(t, stages.Lines(path), always); len(got) != 3000 {
		t.Errorf("%d lines, want 3000", len(got))
	}
}

func TestLinesReadsABoundedAmountInACall(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file"), numbered(10_000))
	var state stages.LinesState
	lines, size := 0, 0
	err := stages.Lines(path)(t.Context(), &state, func(line string, _ ...engine.EmitOption) {
		lines++
		size += len(line)
	})
	if err != nil || lines == 0 || lines > 1000 || size > 64<<10 {
		t.Errorf("error %v, %d lines of %d bytes in one call", err, lines, size)
	}
}

func TestLinesStopsThePipelineAtWhatItCannotRead(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	short := writeFile(t, filepath.Join(root, "short"), "ab\n")
	long := writeFile(t, filepath.Join(root, "long"), "ok\n"+strings.Repeat("x", 11)+"\n")
	unended := writeFile(t, filepath.Join(root, "unended"), "ok\n"+strings.Repeat("x", 11))
	fits := writeFile(t, filepath.Join(root, "fits"), strings.Repeat("x", 10)+"\n"+strings.Repeat("y", 10))
	huge := writeFile(t, filepath.Join(root, "huge"), strings.Repeat("x", 1<<20+1))
	missing := filepath.Join(root, "missing")
	for name, test := range map[string]struct {
		files stages.Files
		state stages.LinesState
		want  []string
	}{
		"nothing named":          {stages.Files{}, stages.LinesState{}, []string{"no files to read", "name at least one"}},
		"a missing root":         {stages.Files{Roots: []string{missing}}, stages.LinesState{}, []string{missing, "no such file"}},
		"a device":               {stages.Files{Roots: []string{os.DevNull}}, stages.LinesState{}, []string{os.DevNull, "not a regular file"}},
		"a long line":            {stages.Files{Roots: []string{long}, MaxLine: 10}, stages.LinesState{}, []string{long, "line 2, at byte 3", "11 bytes", "limit is 10", "Files.MaxLine", `Files.LongLines("skip")`}},
		"a long unended line":    {stages.Files{Roots: []string{unended}, MaxLine: 10}, stages.LinesState{}, []string{unended, "byte 3", "11 bytes"}},
		"more than the default":  {stages.Files{Roots: []string{huge}}, stages.LinesState{}, []string{huge, "line 1, at byte 0", "1048577 bytes", "1048576"}},
		"a file that shrank":     {stages.Files{Roots: []string{short}}, stages.LinesState{Path: short, Offset: 4}, []string{short, "3 bytes", "4 were read"}},
		"a file that is gone":    {stages.Files{Roots: []string{root}}, stages.LinesState{Path: missing, Offset: 4}, []string{missing, "4 of its bytes", "restore"}},
		"lines that just fit in": {stages.Files{Roots: []string{fits}, MaxLine: 10}, stages.LinesState{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := test.files.Lines()
			err := read(t.Context(), &test.state, func(string, ...engine.EmitOption) {})
			if test.want == nil {
				if err != io.EOF {
					t.Errorf("error %v, want io.EOF", err)
				}
				return
			}
			wantError(t, err, test.want...)
		})
	}
}

func TestLinesGoesOnBehindAFileThatWasDeletedBeforeItWasRead(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "a"), "a\n")
	writeFile(t, filepath.Join(root, "c"), "c\n")
	state := stages.LinesState{Path: filepath.Join(root, "b")}
	var got []string
	err := stages.Lines(root)(t.Context(), &state, func(line string, _ ...engine.EmitOption) { got = append(got, line) })
	if err != io.EOF || !slices.Equal(got, []string{"c"}) {
		t.Errorf("error %v, lines %q", err, got)
	}
}

func TestLinesInAPipelineAreFatalOnceAndNotRetried(t *testing.T) {
	t.Parallel()
	p := engine.New("lines")
	missing := filepath.Join(t.TempDir(), "missing")
	engine.Discard(engine.Source(p, "lines", stages.Lines(missing)))
	status, err := runUntil(t, t.Context(), p, t.TempDir())
	wantError(t, err, missing)
	if s := stageStatus(t, status, "lines"); s.Restarts != 0 {
		t.Errorf("restarted %d times", s.Restarts)
	}
}
