package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"penstock/cmd/pipeline/internal/app"
	"penstock/dlq"
)

// hostile is text that steers terminals, runs in browsers, and is no UTF-8.
const hostile = "\x1b[2J\x1b]0;title\x07\u202e\u009b31m\r\xff\x00<script>alert(1)</script>&nats://u:secret@host\n"

func hostileLetters() []dlq.Letter {
	l := dlq.Letter{
		Origin:  dlq.Origin{Stage: "generator", Input: "generator/side"},
		Content: dlq.Content{Key: hostile},
		Cause: dlq.Cause{
			Error: hostile + "second line", Panic: hostile, Stack: hostile + "\tat\r\n",
			Chain: []string{"*errors.errorString: " + hostile}, Attempts: []dlq.Attempt{{Error: hostile}},
		},
		Rounds: dlq.Rounds{Round: 2, History: []dlq.Round{{Reason: dlq.ReasonError, Error: hostile, Attempts: 3, To: "logger"}}, To: "logger"},
		Write:  dlq.Write{Version: hostile},
	}
	long := 1 << 17
	if testing.Short() {
		long = 1 << 14 // the race detector looks at every byte, each time that it is copied
	}
	var list []dlq.Letter
	for i, v := range []struct {
		codec string
		value string
	}{
		{"string", hostile}, {"string", "\x1b[31mred\u202e" + strings.Repeat("<b>", long)}, {"json", `"` + "\u009b\u202e" + `<script>"`}, {"json", hostile},
		{"json", strings.Repeat("[", 5000) + strings.Repeat("]", 5000)}, {"bytes", hostile}, {"uint64", hostile}, {hostile, hostile},
		{"cbor", "\xd9\xd9\xf7\xa2\x78" + string(rune(len(hostile))) + hostile + "\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00\x61x\x78" + string(rune(len(hostile))) + hostile},
		{"cbor", "\xd9\xd9\xf7" + strings.Repeat("\x81", 9000) + "\x01"}, {"cbor", hostile},
		{"", strings.Repeat("\x00\x1b", 20<<10)},
	} {
		l.Offset, l.Codec, l.Value = uint64(i), v.codec, []byte(v.value)
		list = append(list, l)
	}
	return list
}

func mustBeHarmless(t *testing.T, what, text string) {
	t.Helper()
	for i, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%s shows %U: %q", what, r, text[max(i-40, 0):i+1])
		}
	}
}

func TestHostileLettersAreHarmless(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.start("run", "--rate=100ms", "--beats=100000", "--no-faults")
	r.stderr.Await(t, "number=1\n")
	letters := hostileLetters()
	if r := c.run("dlq", "import", "--force", exported(t, letters...)); r.stdout != fmt.Sprintf("imported %d dead letters\n", len(letters)) {
		t.Fatalf("exit %d, %q\n%s", r.code, r.stdout, r.err)
	}
	for _, state := range []string{"running", "stopped"} {
		if state == "stopped" {
			r.signals <- os.Interrupt
			if end := r.wait(); end.code != app.ExitOK {
				t.Fatalf("exit %d\n%s", end.code, end.err)
			}
		}
		table := c.run("dlq", "list")
		mustBeHarmless(t, "the table", table.stdout)
		if strings.Count(table.stdout, "\n") != len(letters)+1 || strings.Contains(table.stdout+table.err, "secret") {
			t.Errorf("%d lines: %s", strings.Count(table.stdout, "\n"), table.stdout)
		}
		all := c.run("dlq", "list", "--json")
		mustBeHarmless(t, "the JSON", all.stdout)
		if strings.ContainsAny(all.stdout, "<>&") {
			t.Error("the JSON has HTML")
		}
		for i, l := range mustList(t, all) {
			if string(l.Value) != string(letters[i].Value) || l.Key != hostile || l.Codec != letters[i].Codec {
				t.Errorf("letter %d is not what it was: %q", i, l.Key)
			}
			if testing.Short() && state == "stopped" && i > 0 {
				continue // the same way again, each time with a server of its own
			}
			for _, flag := range []string{"", "--full", "--json"} {
				args := []string{"dlq", "show", l.ID()}
				if flag != "" {
					args = append(args, flag)
				}
				show := c.run(args...)
				if show.code != app.ExitOK {
					t.Fatalf("exit %d\n%s", show.code, show.err)
				}
				mustBeHarmless(t, "show "+flag, show.stdout)
				if flag == "" && len(show.stdout) > 32<<10 {
					t.Errorf("letter %d: %d bytes are shown", i, len(show.stdout))
				}
				if flag == "--json" && !json.Valid([]byte(show.stdout)) {
					t.Errorf("no JSON: %q", show.stdout)
				}
			}
			if raw := c.run("dlq", "show", l.ID(), "--raw"); raw.stdout != string(letters[i].Value) {
				t.Errorf("raw: %q", raw.stdout)
			}
		}
		if export := c.run("dlq", "export"); strings.Count(export.stdout, "\n") != len(letters) {
			t.Errorf("exported %d lines", strings.Count(export.stdout, "\n"))
		}
	}
}
