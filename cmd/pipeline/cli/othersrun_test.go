package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/testing/natsserver"
)

// commandLine is a command with its flags in a text, without the name of the program.
var commandLine = regexp.MustCompile(`pipeline (dlq [^,:;` + "`" + `]+? --dir \S+ --nats nats://[0-9.:]+[0-9])`)

// The refusal of a new directory names the directory of the run, and commands that work.
func TestANewDirectoryDoesNotDeleteACompleteRun(t *testing.T) {
	t.Parallel()
	host := natsserver.Start(t).Addr().String()
	c := newCommand(t)
	root := t.TempDir()
	owner, other := filepath.Join(root, "owner"), filepath.Join(root, "other")
	run := func(dir string, more ...string) result {
		return c.run(append([]string{"run", "fizzbuzz", "--rate=1ms", "--beats=42", "--dir", dir, "--nats", host}, more...)...)
	}
	if r := run(owner); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	look := func(what string) {
		t.Helper()
		if r := c.run("doctor", "--dir", owner, "--nats", host); r.code != app.ExitOK || !strings.Contains(r.stdout, "dead letters: 2\n") {
			t.Errorf("%s: exit %d\n%s%s", what, r.code, r.stdout, r.err)
		}
	}
	refused := run(other)
	for what, r := range map[string]result{"refused": refused, "with its letters allowed": run(other, "--discard-letters")} {
		if r.code != app.ExitFailed {
			t.Errorf("%s: exit %d", what, r.code)
		}
		mustContain(t, what, r.err, owner+" on host ", "with its 2 dead letters: start it with --dir "+owner, "another server or account with --nats", "with --fresh")
		mustBeInWords(t, r.err)
		look(what)
	}
	mustRunWhatIsPrinted(t, c, root, refused.err)
	if r := run(owner); r.code != app.ExitOK { // its letters are handled
		t.Errorf("where it belongs: exit %d\n%s", r.code, r.err)
	}
	if r := run(other, "--fresh"); r.code != app.ExitOK {
		t.Errorf("the choice to delete it: exit %d\n%s", r.code, r.err)
	}
}

// mustRunWhatIsPrinted runs the commands for letters that a refusal names: the one that deletes comes last.
func mustRunWhatIsPrinted(t *testing.T, c command, root, refusal string) {
	t.Helper()
	var discard []string
	found := commandLine.FindAllStringSubmatch(refusal, -1)
	if len(found) != 3 {
		t.Fatalf("%d commands: %q in\n%s", len(found), found, refusal)
	}
	for _, match := range found {
		line := strings.Fields(strings.Replace(match[1], "FILE", filepath.Join(root, "letters.jsonl"), 1))
		switch line[1] {
		case "discard":
			discard = append(line, "--yes")
			continue
		case "replay":
			line = append(line, "--dry-run")
		}
		if r := c.run(line...); r.code != app.ExitOK {
			t.Errorf("%q: exit %d\n%s%s", line, r.code, r.stdout, r.err)
		}
	}
	mustBe(t, c.run(discard...), app.ExitOK, "discarded 2 dead letters", "")
}

// Without letters nothing was asked. A directory that was deleted, and its run is started again in the same place, is
// told so of its letters, and not sent to commands that find no directory.
func TestARunWithoutItsDirectory(t *testing.T) {
	t.Parallel()
	host := natsserver.Start(t).Addr().String()
	c := newCommand(t)
	root := t.TempDir()
	first, second := filepath.Join(root, "first"), filepath.Join(root, "second")
	count := func(dir, text string) result {
		path := filepath.Join(root, text+".txt")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return c.run("run", "wordcount", path, "--output", filepath.Join(root, text+".out"), "--dir", dir, "--nats", host)
	}
	if r := count(first, "one"); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	r := count(second, "two")
	if r.code != app.ExitFailed {
		t.Errorf("exit %d", r.code)
	}
	mustContain(t, "the refusal", r.err, first+" on host ", "start it with --dir "+first)
	mustBe(t, c.run("doctor", "--dir", first, "--nats", host), app.ExitOK, "Nothing is wrong.", "")
	if err := os.RemoveAll(first); err != nil {
		t.Fatal(err)
	}
	mustContain(t, "without its directory", count(second, "two").err, "not there any more", "--fresh")
	if r := count(first, "two"); r.code != app.ExitOK {
		t.Errorf("in the same place: exit %d\n%s", r.code, r.err)
	}
	letters := func(more ...string) result {
		return c.run(append([]string{"run", "fizzbuzz", "--rate=1ms", "--beats=42", "--dir", first + "-letters", "--nats", host}, more...)...)
	}
	if r := letters(); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	if err := os.RemoveAll(first + "-letters"); err != nil {
		t.Fatal(err)
	}
	r = letters()
	mustContain(t, "with letters", r.err, "would delete 2 dead letters", "restore the directory", "--discard-letters")
	if r.code != app.ExitFailed || strings.Contains(r.err, "pipeline dlq") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if r := letters("--discard-letters"); r.code != app.ExitOK {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
