package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// codeOf is the exit code of a look that is refused: what it names is another pipeline's, or is not in this one.
func codeOf(args string) int {
	if strings.Contains(args, "--pipeline") {
		return app.ExitBlind
	}
	return app.ExitFailed
}

// All verbs that look end with one exit code where they cannot.
func TestEveryLookEndsWithOneCodeWhereItCannot(t *testing.T) {
	t.Parallel()
	host, other := startServer(t), startServer(t)
	login := "nats://user:secret@"
	c := newCommand(t)
	dir := filepath.Join(t.TempDir(), "data")
	if r := c.run("run", "--rate=1ms", "--beats=20", "--dir", dir, "--nats", login+host); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	verbs := append([][]string{{"repair"}, {"dlq", "watch"}, {"dlq", "discard", "--all", "--yes"}, {"dlq", "replay", "--all"}}, looks...)
	for what, place := range map[string][]string{
		"no directory":       {"--dir", filepath.Join(t.TempDir(), "none")},
		"no server":          {"--dir", dir},
		"the wrong server":   {"--dir", dir, "--nats", login + other},
		"the wrong pipeline": {"--dir", dir, "--nats", login + host, "--pipeline", "wordcount"},
	} {
		for _, verb := range verbs {
			if verb[1%len(verb)] == "watch" && what == "no server" { // it waits for a run in the directory
				continue
			}
			if r := c.run(append(append([]string{}, verb...), place...)...); r.code != app.ExitBlind || r.err == "" {
				t.Errorf("%s, %v: exit %d\n%s%s", what, verb, r.code, r.stdout, r.err)
			}
		}
	}
	at := []string{"--dir", dir, "--nats", login + host}
	for _, verb := range [][]string{{"state", "nope"}, {"events", "nope"}, {"dlq", "list", "--stage=nope"}} {
		if r := c.run(append(verb, at...)...); r.code != app.ExitFailed {
			t.Errorf("%v: exit %d\n%s", verb, r.code, r.err)
		}
	}
}
