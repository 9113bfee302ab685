package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test program be the processes that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "-child" || os.Args[1] == "-point") {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestEveryCaseIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	result, page := filepath.Join(dir, "result.json"), filepath.Join(dir, "page.md")
	if err := os.WriteFile(page, []byte("before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	arguments := []string{"-rounds", "1", "-n", "2000", "-rates", "500", "-seconds", "1", "-idle", "10ms", "-dir", dir, "-json", result, "-write", page}
	if err := run(arguments, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var r report
	if err := restore(result, &r); err != nil {
		t.Fatal(err)
	}
	if r.Facts.Cores == 0 || r.Facts.NATSServer == "" || r.Facts.FsyncMicros <= 0 {
		t.Errorf("the machine is not described: %+v", r.Facts)
	}
	found := map[string]bool{}
	for _, f := range r.Figures {
		found[f.Case+" "+f.Sync+" "+f.System] = true
		if !(f.Median > 0) {
			t.Errorf("%s, %s, %s, %s is %v", f.Case, f.Sync, f.System, f.What, f.Median)
		}
	}
	for _, want := range []string{
		"hop, 128 B always nats.go by hand", "hop, 128 B always penstock, 64 a call", "hop, 128 B lazy penstock, 1 a call",
		"hop, 16 B lazy nats.go by hand, large windows", "hop, 1 KiB as JSON always Watermill, 16 subscribers", "hop, 128 B lazy a file, same bytes and fsyncs",
		"generator, worker, logger lazy Watermill, 1 subscriber", "counting, 10 keys always nats.go by hand, a KV bucket", "hop, 128 B always nats.go by hand, atomic batches", "counting, 1 M keys lazy penstock",
		"fan-in, 4 sources, 128 B always penstock", "fan-out, 4 sinks, 128 B lazy nats.go by hand, large windows",
		"two hops at 500/s always penstock", "two hops at 500/s lazy nats.go by hand", "process start always penstock",
	} {
		if !found[want] {
			t.Errorf("nothing is reported for %q", want)
		}
	}
	if !strings.Contains(out.String(), "exactly once") {
		t.Errorf("the table does not say what a figure guarantees:\n%s", out.String())
	}
	checkPage(t, page, "### hop, 128 B as JSON", "| nats.go by hand, large windows |", "at least 15", "### two hops at 500/s", "### Where an alternative is faster")
}

// checkPage reads a page whose text between the markers was replaced.
func checkPage(t *testing.T, page string, wanted ...string) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range append(wanted, "before\n", "\nafter\n") {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "old") {
		t.Errorf("the page has what was to be replaced:\n%s", text)
	}
}

func TestCurvesAreMeasuredAndDrawn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	result, page := filepath.Join(dir, "curves.json"), filepath.Join(dir, "page.md")
	if err := os.WriteFile(page, []byte("before\n<!-- curves: begin -->\nold\n<!-- curves: end -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"-curves", "-rounds", "1", "-n", "2000", "-most", "10", "-dir", dir, "-json", result, "-write", page}
	if err := run(arguments, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	var r curveReport
	if err := restore(result, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Curves) != len(curves) {
		t.Errorf("%d curves of %d", len(r.Curves), len(curves))
	}
	for i, result := range r.Curves {
		c := curves[i]
		if len(result.Points) < 2 {
			t.Errorf("%s has %d points", c.name, len(result.Points))
		}
		for _, p := range result.Points {
			for _, what := range c.reads {
				if value, read := p.Median[what]; !read || value < 0 {
					t.Errorf("%s at %d, sync %s: %s is %v, %v", c.name, p.X, p.Sync, what, value, read)
				}
			}
			if !(p.Median[c.reads[0]] > 0) {
				t.Errorf("%s at %d, sync %s: %s is %v", c.name, p.X, p.Sync, c.reads[0], p.Median[c.reads[0]])
			}
		}
		drawing, err := os.ReadFile(filepath.Join(dir, "page", c.name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, drawing)
	}
	checkPage(t, page, "![More keys", "(page/keys.svg)", "| 10 | lazy |")

	t.Run("again from the file", func(t *testing.T) {
		before, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if err := run([]string{"-curves", "-from", result, "-write", page}, io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(page); err != nil || !bytes.Equal(after, before) {
			t.Errorf("another page, %v:\n%s", err, after)
		}
	})
}

func TestArgumentsAreChecked(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{"hop"}, {"-only", "hops"}, {"-only", "keys"}, {"-curves", "-only", "hop"}, {"-rounds", "-1"}, {"-n", "10"},
		{"-rates", "0"}, {"-rates", "x"}, {"-long"}, {"-from", "/nonexistent"}, {"-point", `{"curve":"none","sync":"lazy"}`}, {"-point", "{}"},
	} {
		if err := run(arguments, io.Discard, io.Discard); err == nil {
			t.Errorf("%v is accepted", arguments)
		}
	}
}

func TestChildThatDoesNotCommitIsAnError(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), self, "-child", file).CombinedOutput(); err == nil {
		t.Errorf("a file as data directory is accepted: %s", out)
	}
}

func TestPaceKeepsToTheClock(t *testing.T) {
	t.Parallel()
	p := newPace(1000, time.Second)
	first, err := p.wait(t.Context(), 0)
	if err != nil || p.total != 1000 {
		t.Fatalf("total %d, %v", p.total, err)
	}
	for _, i := range []uint64{0, 1, 20} {
		now, err := p.wait(t.Context(), i)
		if err != nil || now.Before(p.due(i)) {
			t.Errorf("message %d is sent at %v, due at %v: %v", i, now.Sub(first), p.due(i).Sub(first), err)
		}
	}
	if got := p.due(500).Sub(p.due(0)); got != 500*time.Millisecond {
		t.Errorf("500 messages take %v", got)
	}
}
