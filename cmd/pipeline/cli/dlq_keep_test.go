package cli

import (
	"os"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1": 1, "64KiB": 65536, "1GiB": 1 << 30, "8388607TiB": 8388607 << 40} {
		if got, err := flags.ParseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "KiB", "1.5GiB", "1 GiB", "1GB", "8388608TiB", "9223372036854775808"} {
		if got, err := flags.ParseSize(text); err == nil || !strings.Contains(err.Error(), "not a size") {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
}

// A run whose letters are full waits with an alarm, and the next one, with more
// room, goes on.
func TestRunWithFullLetters(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.start("run", "--rate=1ms", "--beats=45", "--dead-letters=1")
	r.stderr.Await(t, "the stage waits: a dead letter cannot be stored")
	r.signals <- os.Interrupt
	end := r.wait()
	mustContain(t, "the log", end.err, "--dead-letters", "stopped; the next run resumes from here", "dead letters are kept\" count=1 list=\"pipeline dlq list --dir ")
	if end.code != app.ExitOK {
		t.Errorf("exit %d\n%s", end.code, end.err)
	}
	next := c.run("run", "--rate=1ms", "--beats=45", "--dead-letters=2", "--dead-letter-bytes=1MiB", "--dead-letter-age=24h")
	if next.code != app.ExitOK || !strings.Contains(next.err, "msg=complete") {
		t.Errorf("exit %d\n%s", next.code, next.err)
	}
	mustContain(t, "the log", next.err, "dead letters are kept\" count=2")
	if list := mustList(t, c.run("dlq", "list", "--json")); len(list) != 2 {
		t.Errorf("letters %v", idsOf(list))
	}
	if r := c.run("run", "--dead-letter-bytes=1GB"); r.code != app.ExitUsage {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
