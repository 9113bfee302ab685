package cli

import (
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

func TestRunUnstablecounter(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	if r := c.run("run", "unstablecounter", "--seconds=3"); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	} else {
		mustContain(t, "the log", r.err, "msg=complete", "count=200", "from=200", `msg="summary of all runs since the fresh start" stage=counter in=0 out=299`, "panics=1")
	}
	for stage, want := range map[string]string{"counter": `{"count":244,"snapshot":200}` + "\n", "display": `{"last":244,"values":299}` + "\n"} {
		if r := c.run("state", stage, "--pipeline=unstablecounter"); r.code != app.ExitOK || r.stdout != want {
			t.Errorf("state %s: exit %d, %q, want %q\n%s", stage, r.code, r.stdout, want, r.err)
		}
	}
	if r := c.run("run", "unstablecounter", "--seconds=1", "--log-level=warn"); r.code != app.ExitOK || r.err != "" {
		t.Errorf("anew, for another time: exit %d\n%s", r.code, r.err)
	}
}
