package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test program be the process whose start is measured.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-child" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestEveryCaseIsReported(t *testing.T) {
	t.Parallel()
	result := filepath.Join(t.TempDir(), "result.json")
	var out bytes.Buffer
	arguments := []string{"-rounds", "1", "-n", "10000", "-rate", "1000", "-seconds", "1", "-idle", "10ms", "-dir", t.TempDir(), "-json", result}
	if err := run(arguments, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(data, &r); err != nil {
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
		"two hops at 1000/s always penstock", "two hops at 1000/s lazy penstock", "process start always penstock",
	} {
		if !found[want] {
			t.Errorf("nothing is reported for %q", want)
		}
	}
	if !strings.Contains(out.String(), "exactly once") {
		t.Errorf("the table does not say what a figure guarantees:\n%s", out.String())
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"hop"}, {"-only", "hops"}, {"-rounds", "0"}, {"-n", "10"}} {
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
