package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// A run stops at a line that is too long, and goes on behind it when it is told
// to; a file that is changed meanwhile is named at each try.
func TestRunWordcountOnChangedFilesAndLongLines(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	tree, output := t.TempDir(), filepath.Join(t.TempDir(), "counts.txt")
	a, b := filepath.Join(tree, "a"), filepath.Join(tree, "b")
	for path, text := range map[string]string{
		a: strings.Repeat(strings.Repeat("x", 1000)+" old\n", 3_000), // more than one commit holds
		b: "ok\n" + strings.Repeat("y", 10<<20) + "\nend\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(code int, want string, flags ...string) {
		t.Helper()
		r := c.run(append([]string{"run", "wordcount", tree, "--output", output}, flags...)...)
		if r.code != code || !strings.Contains(r.err, want) {
			t.Fatalf("exit %d, want %d and %q:\n%s", r.code, code, want, r.err)
		}
	}
	for range 2 {
		run(app.ExitFailed, "line 2, at byte 3, has 10485760 bytes, and the limit is 2097152")
	}
	run(app.ExitFailed, "line 2, at byte 3, has 10485760 bytes, within the limit of 16777216 (--max-line), and a message of the server takes", "--max-line", "16MiB")
	if err := os.WriteFile(a, []byte(strings.Repeat("new\n", 100_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		run(app.ExitFailed, "--accept-changes", "--long-lines=skip")
	}
	report := filepath.Join(t.TempDir(), "report.json")
	run(app.ExitOK, "left_out=1", "--long-lines=skip", "--accept-changes", "--report", report)
	data, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(data), `"dropped": 1`) {
		t.Errorf("%v, the report does not tell of the line: %.2000s", err, data)
	}
	data, err = os.ReadFile(output)
	if err != nil || !strings.Contains(string(data), "1 end\n") || !strings.Contains(string(data), "1 ok\n") {
		t.Errorf("%v, %.200q", err, data)
	}
	run(app.ExitOK, "messages were dropped", "--long-lines=skip", "--fresh")
	run(app.ExitOK, "left_out=1", "--long-lines=skip", "--max-line=16MiB", "--fresh")
	run(app.ExitOK, "dead letters are kept", "--long-lines=letter", "--max-line=16MiB", "--fresh")
	run(app.ExitOK, "dead letters are kept", "--long-lines=letter", "--fresh")
	if r := c.run("dlq", "list", "--pipeline", "wordcount"); !strings.Contains(r.stdout, "10") || !strings.Contains(r.stdout, "lines") {
		t.Errorf("the letters are %s%s", r.stdout, r.err)
	}
}

// A mistake in the command line costs nothing that a complete run left.
func TestRunWordcountChecksItsFilesBeforeItDeletesACompleteRun(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	input, output := filepath.Join(t.TempDir(), "text"), filepath.Join(t.TempDir(), "counts.txt")
	if err := os.WriteFile(input, []byte("to be\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := c.run("run", "wordcount", input, "--output", output); r.code != app.ExitOK {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	before := c.run("state", "report", "--pipeline", "wordcount")
	for _, mistake := range []struct{ want, input, output string }{
		{"FILE: ", input + "s", output},
		{"--output: ", input, filepath.Join(output+".d", "counts.txt")},
		{"--output: ", input, filepath.Dir(output)},
	} {
		r := c.run("run", "wordcount", mistake.input, "--output", mistake.output)
		if r.code != app.ExitUsage || !strings.Contains(r.err, mistake.want) {
			t.Errorf("exit %d, want %d and %q: %s", r.code, app.ExitUsage, mistake.want, r.err)
		}
		if data, err := os.ReadFile(output); err != nil || string(data) != "1 be\n1 to\n" {
			t.Errorf("%v, the result is %q", err, data)
		}
		if after := c.run("state", "report", "--pipeline", "wordcount"); after != before || after.code != app.ExitOK {
			t.Errorf("the state was %+v and is %+v", before, after)
		}
	}
}
