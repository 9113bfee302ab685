package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/dlqcmd"
	"penstock/dlq"
	"penstock/engine/inspect"
	"penstock/internal/counted"
)

// The letters of fizzbuzz.
const (
	letter33 = "worker.0:generator.0:33"
	letter41 = "logger.0:worker.0:40"
)

// commandWithLetters has run fizzbuzz.
func commandWithLetters(t *testing.T, args ...string) command {
	t.Helper()
	c := newCommand(t)
	if r := c.run(append([]string{"run", "--rate=1ms", "--beats=45"}, args...)...); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	return c
}

// mustBe checks how a command ended, and what it said.
func mustBe(t *testing.T, r result, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout, stdout) || stdout == "" && r.stdout != "" || !strings.Contains(r.err, stderr) {
		t.Errorf("exit %d, %q\n%s\nwant exit %d, %q, %q", r.code, r.stdout, r.err, code, stdout, stderr)
	}
}

// mustList returns what list --json shows.
func mustList(t *testing.T, r result) []dlq.Letter {
	t.Helper()
	list := []dlq.Letter{}
	for decoder := json.NewDecoder(strings.NewReader(r.stdout)); ; {
		var l dlq.Letter
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || r.code != app.ExitOK {
			t.Fatalf("exit %d, %v, %q\n%s", r.code, err, r.stdout, r.err)
		}
		list = append(list, l)
	}
	if r.code != app.ExitOK || strings.Count(r.stdout, "\n") != len(list) || !strings.HasSuffix(r.err, counted.Things(len(list), "dead letter")+"\n") {
		t.Fatalf("exit %d, %q\n%s", r.code, r.stdout, r.err)
	}
	return list
}

func idsOf(list []dlq.Letter) []string {
	ids := []string{}
	for _, l := range list {
		ids = append(ids, l.ID())
	}
	return ids
}

// pending counts the replays that a stopped pipeline is asked for.
func pending(t *testing.T, dir string) map[string]uint64 {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), inspect.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close()
	queue, found, err := inspector.DeadLetters(t.Context())
	if err != nil || !found {
		t.Fatal(found, err)
	}
	counts, err := queue.PendingReplays(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// exported writes letters as export does.
func exported(t *testing.T, list ...dlq.Letter) (file string) {
	t.Helper()
	var data bytes.Buffer
	for _, l := range list {
		l.Pipeline = "fizzbuzz"
		if l.Reason == "" {
			l.Reason = dlq.ReasonError
		}
		if err := dlqcmd.WriteLetter(&data, l); err != nil {
			t.Fatal(err)
		}
	}
	file = filepath.Join(t.TempDir(), "letters")
	if err := os.WriteFile(file, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestListAndShow(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	list := mustList(t, c.run("dlq", "list", "--json"))
	if got, want := idsOf(list), []string{letter33, letter41}; !slices.Equal(got, want) {
		t.Fatalf("letters %q, want %q", got, want)
	}
	for _, l := range list {
		if l.Reason != dlq.ReasonPanic || !strings.Contains(l.Panic, "on purpose") || !strings.Contains(l.Stack, "fizzbuzz") || len(l.Attempts) != 3 {
			t.Errorf("%+v", l)
		}
	}
	mustBe(t, c.run("dlq", "list", "--json"), app.ExitOK, `"decoded":33}`, "")
	mustBe(t, c.run("dlq", "list", "--json"), app.ExitOK, `"json":{"kind":"value","value":41}`, "")
	if l := mustList(t, c.run("dlq", "list", "--json", "--no-values"))[0]; !l.ValueOmitted || l.ValueBytes != 8 {
		t.Errorf("without values: %+v", l)
	}

	table := strings.Split(c.run("dlq", "list").stdout, "\n")
	if len(table) != 4 {
		t.Fatalf("%q", table)
	}
	mustContain(t, "the heading", table[0], "id", "stage", "reason", "round", "attempts", "age", "key", "error")
	mustContain(t, "a line", table[1], letter33, "worker", "panic", " 1 ", " 3 ", "s ", "  the worker fails on purpose at every try of number 33")

	show := c.run("dlq", "show", letter33).stdout
	mustContain(t, "show", show, "generator, instance 0, offset 33", "\nround         1\n", "\nattempts      3\n", "\npanic\n    the worker fails on purpose",
		"\nstack\n    penstock/examples/fizzbuzz", "\n        /", "value, 8 bytes, codec uint64\n    33\n")
	if strings.ContainsAny(show, "\t\r\x1b") || strings.Contains(show, "\nerror") { // which would say the same
		t.Errorf("%q", show)
	}
	mustContain(t, "show", c.run("dlq", "show", letter41).stdout, "value, 23 bytes, codec cbor\n    {\n      \"kind\": \"value\",\n      \"value\": 41\n    }\n")
	if r := c.run("dlq", "show", letter33, "--raw"); r.stdout != "!\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%q", r.stdout)
	}
	mustBe(t, c.run("dlq", "show", letter33, "--json"), app.ExitOK, `{"id":"`+letter33+`"`, "")
	mustBe(t, c.run("dlq", "show", "worker.0:generator.0:34"), app.ExitFailed, "", "none with the ID worker.0:generator.0:34")
	mustBe(t, c.run("dlq", "list", "--stage=nope"), app.ExitFailed, "", `no stage "nope", it has generator, heartbeat, logger, worker`)
	mustBe(t, c.run("dlq", "list", "--pipeline=other", "--dir="+c.dir("fizzbuzz")), app.ExitBlind, "", "belongs to the pipeline fizzbuzz")
	mustBe(t, c.run("dlq", "list", "--dir="+c.dir("none")), app.ExitBlind, "", "no pipeline has run there yet")
	mustBe(t, c.run("dlq", "list", "--pipeline=none"), app.ExitBlind, "", "the pipelines of this program are fizzbuzz, ")
}

func TestFilters(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	day := func(year int) time.Time { return time.Date(year, 1, 2, 3, 4, 5, 0, time.UTC) }
	mustBe(t, c.run("dlq", "import", "--force", exported(t,
		dlq.Letter{Origin: dlq.Origin{Stage: "worker", Input: "generator", Offset: 1}, Content: dlq.Content{Key: "k"}, Cause: dlq.Cause{Error: "Disk full"}, Write: dlq.Write{At: day(2001)}},
		dlq.Letter{Origin: dlq.Origin{Stage: "logger", Input: "worker", Offset: 2}, Content: dlq.Content{Key: "k\xff"}, Cause: dlq.Cause{Reason: dlq.ReasonRejected}, Write: dlq.Write{At: day(2003)}},
	)), app.ExitOK, "imported 2 dead letters", "")
	const old1, old2 = "worker.0:generator.0:1", "logger.0:worker.0:2"
	for args, want := range map[string][]string{
		"":                               {letter33, letter41, old1, old2},
		"--stage=worker":                 {letter33, old1},
		"--reason=rejected":              {old2},
		"--until=2002-01-01":             {old1},
		"--since=2002-01-01 --until=1d":  {old2},
		"--since=1h":                     {letter33, letter41},
		"--since=2001-01-02T03:04:05Z":   {letter33, letter41, old1, old2},
		"--until=2001-01-02T03:04:05Z":   {},
		"--key=k":                        {old1},
		"--key=k\xff":                    {old2},
		"--error=disk":                   {old1},
		"--error=PURPOSE --stage=logger": {letter41},
		"--error=nowhere":                {},
		"--stage=heartbeat":              {},
		"--stage=worker --reason=error":  {old1},
	} {
		got := idsOf(mustList(t, c.run(append([]string{"dlq", "list", "--json"}, strings.Fields(args)...)...)))
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	// The order of replays is that of the messages.
	dry := c.run("dlq", "replay", "--stage=worker", "--dry-run")
	mustBe(t, dry, app.ExitOK, letter33, "would request 2 replays")
	if strings.Index(dry.stdout, old1) > strings.Index(dry.stdout, letter33) {
		t.Errorf("not in the order of origin:\n%s", dry.stdout)
	}
}

func TestReplayOfAStoppedPipeline(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	dir := c.dir("fizzbuzz")
	mustBe(t, c.run("dlq", "replay", "--all", "--dry-run"), app.ExitOK, letter33, "would request 2 replays")
	if got := pending(t, dir); len(got) != 0 {
		t.Errorf("a dry run asked for %v", got)
	}
	mustBe(t, c.run("dlq", "replay", letter33), app.ExitOK, "requested 1 replay: the next run of fizzbuzz handles it", "")
	mustBe(t, c.run("dlq", "replay", "--all", "--rate=1000"), app.ExitOK, "requested 1 replay, 1 already pending: the next run", "")
	mustBe(t, c.run("dlq", "replay", "--all"), app.ExitOK, "requested 0 replays, 2 already pending", "")
	mustBe(t, c.run("dlq", "replay", letter33, "--value=34"), app.ExitFailed, "1 already pending", "the new value is not used")
	if got, want := pending(t, dir), map[string]uint64{"worker": 1, "logger": 1}; !maps.Equal(got, want) {
		t.Errorf("pending %v, want %v", got, want)
	}
	mustBe(t, c.run("dlq", "replay", letter41, "worker.0:generator.0:1", "worker.0:generator.0:1"), app.ExitFailed, "1 already pending", "none with the ID worker.0:generator.0:1 (")
	mustBe(t, c.run("dlq", "replay", letter41, "--stage=worker"), app.ExitFailed, "requested 0", "or the filter excludes it")
	mustBe(t, c.run("dlq", "replay", letter33, "--to=nope"), app.ExitFailed, "", `no stage "nope"`)
	mustBe(t, c.run("dlq", "replay", "--error=nowhere"), app.ExitOK, "requested 0 replays\n", "")

	mustBe(t, c.run("dlq", "import", "--force", exported(t, dlq.Letter{Origin: dlq.Origin{Stage: "worker", Input: "generator", Offset: 3}, Rounds: dlq.Rounds{Round: 3}})), app.ExitOK, "imported 1 dead letter", "")
	const third = "worker.0:generator.0:3"
	mustBe(t, c.run("dlq", "replay", third, "--dry-run"), app.ExitOK, third, "would request 0 replays; only with --force: 1 letter that failed in 3 rounds")
	mustBe(t, c.run("dlq", "replay", third), app.ExitFailed, "requested 0 replays, 1 refused", "use --force")
	mustBe(t, c.run("dlq", "replay", third, "--force", "--to=logger"), app.ExitFailed, "1 refused", "logger does not read generator, it reads worker: replay it to a stage that reads generator, named with --to")
	mustBe(t, c.run("dlq", "replay", third, "--force"), app.ExitOK, "requested 1 replay:", "")
	if got, want := pending(t, dir), map[string]uint64{"worker": 2, "logger": 1}; !maps.Equal(got, want) {
		t.Errorf("pending %v, want %v", got, want)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	ask := func(typed string, args ...string) result {
		return c.startIn(func(s *app.System) {
			s.Stdin, s.StdinTerminal = strings.NewReader(typed), func() bool { return true }
		}, append([]string{"dlq", "discard"}, args...)...).wait()
	}
	mustBe(t, ask("n\n", "--all"), app.ExitFailed, "", "Discard 2 dead letters of pipeline fizzbuzz for good? [y/N] pipeline: dlq discard: nothing was discarded")
	mustBe(t, ask("", "--all"), app.ExitFailed, "", "nothing was discarded")
	mustBe(t, ask("y\n", letter33), app.ExitOK, "discarded 1 dead letter\n", "Discard 1 dead letter of")
	mustBe(t, ask("", letter33), app.ExitFailed, "discarded 0 dead letters", "none with the ID "+letter33)
	if got := idsOf(mustList(t, c.run("dlq", "list", "--json"))); !slices.Equal(got, []string{letter41}) {
		t.Errorf("left: %q", got)
	}
	mustBe(t, c.run("dlq", "discard", "--all", "--yes"), app.ExitOK, "discarded 1 dead letter\n", "")
	mustBe(t, c.run("dlq", "discard", "--all", "-y"), app.ExitOK, "discarded 0 dead letters\n", "")
	mustBe(t, c.run("dlq", "list"), app.ExitOK, "", "0 dead letters\n")
}

func TestQuestionEndsWithASignal(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	reader, writer := io.Pipe()
	r := c.startIn(func(s *app.System) { s.Stdin, s.StdinTerminal = reader, func() bool { return true } }, "dlq", "discard", "--all")
	r.stderr.Await(t, "[y/N]")
	// Nothing is locked meanwhile.
	if got := idsOf(mustList(t, c.run("dlq", "list", "--json"))); len(got) != 2 {
		t.Errorf("%q", got)
	}
	r.signals <- os.Interrupt
	mustBe(t, r.wait(), app.ExitFailed, "", "interrupted")
	writer.Close() // lets the reading end
}

func TestExportAndImport(t *testing.T) {
	t.Parallel()
	c := commandWithLetters(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "letters")
	mustBe(t, c.run("dlq", "export", "-o", file), app.ExitOK, "", "exported 2 dead letters")
	data, err := os.ReadFile(file)
	if err != nil || bytes.Count(data, []byte("\n")) != 2 {
		t.Fatalf("%q, %v", data, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if r := c.run("dlq", "export"); r.stdout != string(data) {
		t.Errorf("%q, want %q", r.stdout, data)
	}
	before := mustList(t, c.run("dlq", "list", "--json"))
	mustBe(t, c.run("dlq", "import", file), app.ExitOK, "imported 0 dead letters; 2 were already there\n", "")
	mustBe(t, c.run("dlq", "discard", "--all", "-y"), app.ExitOK, "discarded 2", "")
	import0 := c.startIn(func(s *app.System) { s.Stdin = bytes.NewReader(data) }, "dlq", "import", "-").wait()
	mustBe(t, import0, app.ExitFailed, "imported 0 dead letters; 2 were refused\n", "line 1, "+letter33+", is refused: ")
	mustBe(t, import0, app.ExitFailed, "refused", "import it with --force\n")
	import1 := c.startIn(func(s *app.System) { s.Stdin = bytes.NewReader(data) }, "dlq", "import", "-", "--force").wait()
	mustBe(t, import1, app.ExitOK, "imported 2 dead letters\n", "")
	after := mustList(t, c.run("dlq", "list", "--json"))
	for i := range before {
		before[i].Sequence = after[i].Sequence
		want, _ := before[i].MarshalJSON()
		if got, _ := after[i].MarshalJSON(); !bytes.Equal(got, want) {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	broken := c.startIn(func(s *app.System) { s.Stdin = strings.NewReader(string(data) + "{}\n") }, "dlq", "import", "-").wait()
	mustBe(t, broken, app.ExitFailed, "", "line 3 is invalid: no dead letter of an export: it has no id")
	mustBe(t, c.run("dlq", "import", filepath.Join(dir, "none")), app.ExitFailed, "", "none")
	mustBe(t, c.run("dlq", "export", "-o", filepath.Join(dir, "none", "file")), app.ExitFailed, "", "none")
}
