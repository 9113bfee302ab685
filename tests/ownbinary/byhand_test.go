package ownbinary

import (
	"path/filepath"
	"testing"
)

// A program that runs its pipeline itself is asked by the verbs of any program of
// package cli, while it runs and after it died.
func TestAProgramThatServesTheSocketIsAsked(t *testing.T) {
	t.Parallel()
	byhand, program := built(t, "byhand"), built(t, "program")
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, byhand, dir)
	until(t, "1\n", program, "state", "odd", "--dir", dir)
	until(t, "2 is even", program, "dlq", "list", "--dir", dir)
	mustContain(t, "the events", run(t, 0, program, "events", "odd", "--dir", dir), "odd")
	mustContain(t, "the diagnosis", run(t, 0, program, "doctor", "--dir", dir), "pipeline byhand, running")
	mustContain(t, "the letter", run(t, 0, program, "dlq", "show", "odd.0:numbers.0:1", "--dir", dir), "2 is even")
	p.kill()
	mustContain(t, "the log", p.stderr(), `pipeline dlq show odd.0:numbers.0:1 --dir `+dir)
	mustContain(t, "the state afterwards", run(t, 0, program, "state", "odd", "--dir", dir), "1\n")
}
