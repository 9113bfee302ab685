//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/engine"
)

// The test binary is the children, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childVerb {
		os.Exit(runChild(os.Args[2], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// soak runs the command and returns what it reports. Nothing is flat in so
// short a time, so its verdict is not asked for.
func soak(t *testing.T, arguments ...string) report {
	t.Helper()
	var out, progress bytes.Buffer
	file := filepath.Join(t.TempDir(), "report")
	if _, err := command(t.Context(), append(arguments, "-dir", t.TempDir(), "-json", file), &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	t.Logf("\n%s", out.String())
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestShortSoak(t *testing.T) {
	t.Parallel()
	drawings := t.TempDir()
	r := soak(t, "-duration", "12s", "-rate", "5000", "-keys", "5000", "-kills", "2s", "-svg", drawings)
	if len(r.Subjects) != 2 {
		t.Fatalf("%d pipelines", len(r.Subjects))
	}
	for _, s := range r.Subjects {
		if s.Result.Wrong != "" || s.Result.IDs < 5000 {
			t.Errorf("%s: %d ids: %s", s.Name, s.Result.IDs, s.Result.Wrong)
		}
		for _, m := range s.Trends {
			if m.Samples < leastOf || m.Most <= 0 && m.Name != waiting {
				t.Errorf("%s: %s has %d samples up to %v", s.Name, m.Name, m.Samples, m.Most)
			}
		}
		if drawing, err := os.ReadFile(filepath.Join(drawings, "soak-"+s.Name+".svg")); err != nil || bytes.Count(drawing, []byte(`class="line"`)) != len(s.Trends) {
			t.Errorf("%s: the drawing has not all lines: %v", s.Name, err)
		}
	}
	if alive := r.Subjects[0]; alive.Result.Harms < 5 || len(alive.Trends) != len(measures) {
		t.Errorf("%d harms, %d measures", alive.Result.Harms, len(alive.Trends))
	}
	if killed := r.Subjects[1]; len(killed.Restarts) == 0 {
		t.Error("nothing was killed")
	}
}

func TestShortRestarts(t *testing.T) {
	t.Parallel()
	r := soak(t, "-restarts", "2", "-keys", "5000")
	if len(r.Restarts) != 2 || r.Result == nil || r.Result.Wrong != "" {
		t.Fatalf("restarts %+v, result %+v", r.Restarts, r.Result)
	}
	for _, one := range r.Restarts {
		if one.Ready <= 0 || one.Commit < one.Ready || one.Keyed < 5000 {
			t.Errorf("restart %+v", one)
		}
	}
}

// The reference agrees with a run that nothing happened to, and notices that it
// is not that run.
func TestReferenceNotices(t *testing.T) {
	t.Parallel()
	const keys = 100
	w := &workload{rate: 100_000, keys: keys, harm: newHarm(1, time.Hour, nil)}
	p, dir := w.pipeline(), t.TempDir()
	config := engine.Config{Dir: dir, OnReady: func() error { time.AfterFunc(time.Second, func() { w.ending.Store(true) }); return nil }}
	if err := p.Run(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	status := p.Status()
	if n, err := checkResult(t.Context(), dir, keys, status, false); err != nil || n < 1000 {
		t.Errorf("%d ids: %v", n, err)
	}
	if _, err := checkResult(t.Context(), dir, keys+1, status, false); err == nil || !strings.Contains(err.Error(), "accounts") {
		t.Errorf("with other keys: %v", err)
	}
	for k := range status.Stages {
		if s := &status.Stages[k]; s.Name == "changes" {
			s.In--
		}
	}
	if _, err := checkResult(t.Context(), dir, keys, status, true); err == nil || !strings.Contains(err.Error(), "changes") {
		t.Errorf("with a message less: %v", err)
	}
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"-duration", "1ms"}, {"-rate", "0"}, {"extra"}, {"-warmup", "1h"}, {"-restarts", "-1"}} {
		if _, err := command(t.Context(), arguments, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%v: no error", arguments)
		}
	}
}

func TestPartsOfADirectory(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"checkpoints/000001.sst": checkpoints,
		"jetstream/jetstream/$G/streams/soak++dead-letters/msgs/1.blk": letters,
		"jetstream/jetstream/$G/streams/soak+ids/msgs/1.blk":           channels,
		"in-flight": "",
	} {
		if got := partOf(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
