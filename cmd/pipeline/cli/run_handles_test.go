package cli

import (
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// A run behind a complete one that only handles a replay interrupted nothing, and does not say so.
func TestARunThatOnlyHandlesAReplaySaysSo(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	if r := c.run("dlq", "replay", letter41); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	r := c.run("run", "--rate=1ms", "--beats=45")
	if r.code != app.ExitOK || strings.Contains(r.err, "interrupted") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	mustContain(t, "the log", r.err, "the last run is complete; handling what it left")
}
