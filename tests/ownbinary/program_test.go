package ownbinary

import (
	"fmt"
	"path/filepath"
	"testing"
)

// numbers of a run that is killed on the way; 13 becomes a dead letter.
const numbers = 500

// A program of ten lines has every verb of the command for its own pipelines: it is
// looked at while it runs, killed, and goes on; what it hints at are commands of its own.
func TestAProgramOfOnesOwnHasAllVerbs(t *testing.T) {
	t.Parallel()
	program := built(t, "program")
	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"run", "squares", fmt.Sprintf("--numbers=%d", numbers), "--dir", dir}

	p := start(t, program, append(args, "--halt=400")...)
	until(t, "400", program, "state", "numbers", "--dir", dir)
	mustContain(t, "the events", run(t, 0, program, "events", "--dir", dir), "sum", "numbers")
	mustContain(t, "the diagnosis", run(t, 0, program, "doctor", "--dir", dir), "pipeline squares, running", "Nothing is wrong")
	until(t, "unlucky", program, "dlq", "list", "--dir", dir)
	p.kill()
	mustContain(t, "the log", p.stderr(), `show="program dlq show sum.0:numbers.0:12 --dir `+dir)

	other := run(t, 2, program, "run", "squares", "--numbers=7", "--dir", dir)
	mustContain(t, "the refusal of another argument", other, "interrupted run", "--numbers 500", "--fresh")
	mustContain(t, "the diagnosis", run(t, 0, program, "doctor", "--dir", dir), "pipeline squares", "Nothing is wrong")
	mustContain(t, "the second run", run(t, 0, program, args...), "resuming the run that was interrupted", "complete", "program dlq list --dir "+dir)

	sum := 0
	for n := 1; n <= numbers; n++ {
		if n != 13 {
			sum += n * n
		}
	}
	if got, want := run(t, 0, program, "state", "sum", "--dir", dir), fmt.Sprintln(sum); got != want {
		t.Errorf("the sum is %s, want %s", got, want)
	}
	mustContain(t, "a further run", run(t, 1, program, args...), "program dlq replay --all --dir "+dir, "--discard-letters")
	mustContain(t, "the discarding", run(t, 0, program, "dlq", "discard", "--all", "--yes", "--dir", dir), "discarded 1 dead letter")
	run(t, 0, program, "repair", "--dir", dir)
}

// The other verbs know the program's name and its pipelines.
func TestAProgramOfOnesOwnSpeaksOfItself(t *testing.T) {
	t.Parallel()
	program := built(t, "program")
	for name, test := range map[string]struct {
		code  int
		args  []string
		wants []string
	}{
		"help":               {0, []string{"--help"}, []string{"Usage: program <command>", "Sums of squares.", "run squares", "run one", "replay-telemetry", "program graph squares --format svg"}},
		"help of a pipeline": {0, []string{"run", "squares", "--help"}, []string{"--halt", "--guard", "--telemetry", "--dead-letters"}},
		"graph":              {0, []string{"graph", "one"}, []string{`digraph "one"`, "sum"}},
		"graph of nothing":   {2, []string{"graph", "other"}, []string{"it has squares or one", "program graph --help"}},
		"permissions":        {0, []string{"nats-permissions", "squares"}, []string{"$JS.API.STREAM.CREATE.squares"}},
		"version":            {0, []string{"version"}, []string{"program      (devel)", "penstock     (replaced by ", "nats-server  "}},
		"a wrong flag":       {2, []string{"run", "squares", "--numbers=x"}, []string{"program: --numbers", "Try: program run squares --help"}},
		"a recording":        {1, []string{"replay-telemetry", "nothing.json"}, []string{"show the recording", "nothing.json"}},
		"repair of nothing":  {3, []string{"repair", "--dir", filepath.Join(t.TempDir(), "none")}, []string{"program: repair"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustContain(t, name, run(t, test.code, program, test.args...), test.wants...)
		})
	}
}
