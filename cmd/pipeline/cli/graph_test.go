package cli

import (
	"os/exec"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

func TestGraph(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	for name, want := range map[string][]string{
		"":                {`digraph "fizzbuzz"`, `"heartbeat" -> "worker"`, `"generator" -> "worker"`, `"worker" -> "logger"`},
		"wordcount":       {`digraph "wordcount"`},
		"unstablecounter": {`digraph "unstablecounter"`},
	} {
		args := strings.Fields("graph " + name)
		if r := c.run(args...); r.code != app.ExitOK || r.err != "" {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.err)
		} else {
			mustContain(t, name, r.stdout, want...)
		}
	}
	if _, err := exec.LookPath("dot"); err != nil {
		t.Skip(err) // which package telemetry demands where it has to be there
	}
	r := c.run("graph", "--format", "svg")
	if r.code != app.ExitOK || r.err != "" {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	mustContain(t, "the drawing", r.stdout, "<svg", ">worker<")
}

func TestGraphWithoutGraphviz(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	r := newCommand(t).run("graph", "--format=svg")
	if r.code != app.ExitFailed || r.stdout != "" {
		t.Errorf("exit %d, %q", r.code, r.stdout)
	}
	mustContain(t, "the error", r.err, "apt install graphviz", "graph.dot")
}
