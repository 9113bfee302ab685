package cli

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/dlq"
	"penstock/engine/cborjson"
	"penstock/engine/inspect"
)

// nextReplay is the value that a stopped pipeline is asked to replay.
func nextReplay(t *testing.T, dir, stage string) (value string, edited bool) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), inspect.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close()
	queue, _, err := inspector.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, found, err := queue.NextReplay(t.Context(), stage, 0, 0)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if err := queue.Withdraw(context.WithoutCancel(t.Context()), r); err != nil {
		t.Fatal(err)
	}
	return string(r.Value), r.Edited
}

func TestEdit(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the editor is a shell command")
	}
	c := commandWithLetters(t)
	dir := c.dir("fizzbuzz")
	for name, test := range map[string]struct{ editor, id, value string }{
		"JSON, laid out": {`sed -i 's/^  "value": 41$/  "value": 42/'`, letter41, `{"kind":"value","value":42}`},
	} {
		// The value is CBOR: it is edited as JSON, and CBOR again.
		c.env["EDITOR"] = test.editor
		mustBe(t, c.run("dlq", "replay", test.id, "--edit"), app.ExitOK, "requested 1 replay", "")
		if value, edited := nextReplay(t, dir, "logger"); shown(value) != test.value || value[0] != 0xd9 || !edited {
			t.Errorf("%s: %q, %v", name, value, edited)
		}
	}
	c.env["VISUAL"] = `sed -i s/33/34/`
	c.env["EDITOR"] = "false"
	mustBe(t, c.run("dlq", "replay", letter33, "--edit"), app.ExitOK, "requested 1 replay", "")
	if value, _ := nextReplay(t, dir, "worker"); value != "\x22\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%q", value)
	}

	c.env["VISUAL"] = "true"
	mustBe(t, c.run("dlq", "replay", letter33, "--edit"), app.ExitFailed, "", "unchanged, so nothing is replayed")
	c.env["VISUAL"] = ""
	kept := c.run("dlq", "replay", letter33, "--edit")
	mustBe(t, kept, app.ExitFailed, "", "run the editor false")
	if strings.Contains(kept.err, "kept") {
		t.Errorf("what was not edited is kept: %s", kept.err)
	}
	c.env["EDITOR"] = `sed -i s/33/x/`
	kept = c.run("dlq", "replay", letter33, "--edit")
	mustBe(t, kept, app.ExitFailed, "", `"x" is not a whole number`)
	file := regexp.MustCompile(`@(\S+)`).FindStringSubmatch(kept.err)
	if file == nil {
		t.Fatalf("no file is named: %s", kept.err)
	}
	defer os.Remove(file[1])
	if data, err := os.ReadFile(file[1]); err != nil || string(data) != "x\n" {
		t.Errorf("%q, %v", data, err)
	}
	mustBe(t, c.run("dlq", "replay", "worker.0:generator.0:1", "--edit"), app.ExitFailed, "", "none with the ID")
}

// shown is a value as the commands show it.
func shown(value string) string {
	text, err := cborjson.JSON([]byte(value))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestReplayWithAnotherValue(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	dir := c.dir("fizzbuzz")
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte("{\"kind\": \"fizz\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustBe(t, c.run("dlq", "replay", letter41, "--value=@"+file), app.ExitOK, "requested 1 replay", "")
	if value, edited := nextReplay(t, dir, "logger"); shown(value) != `{"kind":"fizz"}` || value[0] != 0xd9 || !edited {
		t.Errorf("%q, %v", value, edited)
	}
	mustBe(t, c.run("dlq", "replay", letter33, "--value=7"), app.ExitOK, "requested 1 replay", "")
	if value, _ := nextReplay(t, dir, "worker"); value != "\x07\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%q", value)
	}
	mustBe(t, c.run("dlq", "replay", letter33, "--value=-7"), app.ExitFailed, "", `"-7" is not a whole number of 0 or more`)
	mustBe(t, c.run("dlq", "replay", letter41, "--value={"), app.ExitFailed, "", "not JSON")
	mustBe(t, c.run("dlq", "replay", letter41, "--value=@"+file+".none"), app.ExitFailed, "", "--value: open")
	mustBe(t, c.run("dlq", "import", "--force", exported(t, dlq.Letter{Origin: dlq.Origin{Stage: "worker", Input: "generator", Offset: 2}, Content: dlq.Content{Value: []byte("old"), Codec: "string"}})), app.ExitOK, "imported 1", "")
	mustBe(t, c.run("dlq", "replay", "worker.0:generator.0:2", "--value="), app.ExitOK, "requested 1 replay", "")
	if value, edited := nextReplay(t, dir, "worker"); value != "" || !edited {
		t.Errorf("%q, %v", value, edited)
	}
}
