package ownbinary

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/internal/testing/child"
)

// patience is how long what must come is waited for.
const patience = 3 * time.Minute

// process is a program under way.
type process struct {
	*child.Child
	t   *testing.T
	out bytes.Buffer
	err string // file: who lives on when it is killed may still write there
}

func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, err: filepath.Join(t.TempDir(), "stderr")}
	stderr, err := os.Create(p.err)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(""), &p.out, stderr
	cmd.Env = append(os.Environ(), "PENSTOCK_TELEMETRY=off", "HOME="+t.TempDir())
	p.Child = child.StartFor(t, cmd, nil)
	return p
}

// stderr is what it has written there so far.
func (p *process) stderr() string {
	p.t.Helper()
	return read(p.t, p.err)
}

// await waits for a text there.
func (p *process) await(text string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(p.stderr(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("it never says %q:\n%s", text, p.stderr())
		}
	}
}

// wait returns the exit code, -1 of a program that was killed.
func (p *process) wait() int {
	p.t.Helper()
	return p.Code(p.t)
}

// kill ends it as a power cut would, but for the disk.
func (p *process) kill() {
	p.t.Helper()
	p.Kill()
	if code := p.wait(); code != -1 {
		p.t.Fatalf("it ended by itself, with %d:\n%s", code, p.stderr())
	}
}

// run runs a program to its end, which has to have this code, and returns what it wrote.
func run(t *testing.T, code int, program string, args ...string) string {
	t.Helper()
	p := start(t, program, args...)
	if got := p.wait(); got != code {
		t.Errorf("%s: exit %d, want %d:\n%s%s", strings.Join(args, " "), got, code, &p.out, p.stderr())
	}
	return p.out.String() + p.stderr()
}

// until asks a program until its answer has this text.
func until(t *testing.T, text, program string, args ...string) {
	t.Helper()
	var said string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		p := start(t, program, args...)
		if p.wait(); strings.Contains(p.out.String(), text) {
			return
		}
		said = p.out.String() + p.stderr()
	}
	t.Fatalf("%s never says %q:\n%s", strings.Join(args, " "), text, said)
}

func mustContain(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q:\n%s", what, part, text)
		}
	}
}
