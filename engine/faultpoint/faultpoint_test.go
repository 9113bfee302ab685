package faultpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// passages is set in a child process: how often each goroutine of the child passes the point MidProcess.
const passages = "FAULTPOINT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(passages) == "" {
		os.Exit(m.Run())
	}
	if os.Getenv(passages) == "concurrent" {
		var g sync.WaitGroup
		for range 8 {
			g.Go(func() {
				for range 100 {
					Hit(MidProcess, "worker")
				}
			})
		}
		g.Wait()
	} else {
		for i := range 3 {
			Hit(AfterPeek, "worker")
			Hit(MidProcess, "other")
			Hit(MidProcess, "worker")
			fmt.Println("passed", i+1)
		}
	}
	fmt.Println("survived")
}

func child(t *testing.T, mode, value string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), passages+"="+mode, Variable+"="+value)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func TestHitKills(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value  string
		passed int // rounds that the child gets through
		dies   bool
	}{
		{"", 3, false},
		{"mid-process", 0, true},
		{"mid-process:1", 0, true},
		{"mid-process:3", 1, true},
		{"mid-process:6", 2, true},
		{"mid-process:7", 3, false},
		{"mid-process@worker:3", 2, true},
		{"mid-process@worker:4", 3, false},
		{"mid-process@absent", 3, false},
		{"mid-replay", 3, false},
	} {
		t.Run(c.value, func(t *testing.T) {
			t.Parallel()
			out, err := child(t, "sequential", c.value)
			if got := strings.Count(out, "passed"); got != c.passed {
				t.Errorf("rounds = %d, want %d; output:\n%s", got, c.passed, out)
			}
			if killed(err) != c.dies || !c.dies && err != nil {
				t.Errorf("exit = %v, want killed %v; output:\n%s", err, c.dies, out)
			}
			if got := strings.Contains(out, "survived"); got == c.dies {
				t.Errorf("ran to the end: %v, want %v", got, !c.dies)
			}
		})
	}
}

func TestHitKillsWhenConcurrent(t *testing.T) {
	t.Parallel()
	if out, err := child(t, "concurrent", "mid-process:800"); !killed(err) {
		t.Errorf("800 passages of 800: exit = %v, want killed; output:\n%s", err, out)
	}
	if out, err := child(t, "concurrent", "mid-process:801"); err != nil {
		t.Errorf("800 passages of 801: exit = %v, want survival; output:\n%s", err, out)
	}
}

func TestMalformedValueEndsTheProcess(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"nowhere":               `unknown point "nowhere": want one of after-peek, `,
		":3":                    `unknown point ""`,
		"after-peek:0":          `passage "0"`,
		"after-peek:":           `passage ""`,
		"after-peek:x":          `passage "x"`,
		"after-peek:-1":         `passage "-1"`,
		"after-peek@:1":         `no stage after @`,
		"after-peek@worker:1:1": `passage "1:1"`,
	} {
		out, err := child(t, "sequential", value)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%q: exit = %v, want status 2", value, err)
		}
		if !strings.Contains(out, want) || !strings.Contains(out, Variable) {
			t.Errorf("%q: message %q does not say %q", value, out, want)
		}
	}
}

func TestEveryPointCanBeArmed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, name := range All() {
		if seen[name] {
			t.Errorf("%s is listed twice", name)
		}
		seen[name] = true
		p, err := parse(name + "@worker:2")
		if err != nil {
			t.Fatal(err)
		}
		if p.due(name, "worker") || p.due(name, "other") || !p.due(name, "worker") {
			t.Errorf("%s is not due at the second passage of its stage", name)
		}
	}
	All()[0] = "changed"
	if All()[0] != AfterPeek {
		t.Error("a caller can change the list of points")
	}
}

func BenchmarkHitUnused(b *testing.B) {
	for b.Loop() {
		Hit(MidProcess, "worker")
	}
}
