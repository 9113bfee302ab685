package cli

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/dlq"
)

func TestLettersOfARunningPipeline(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.start("run", "--rate=5ms", "--beats=100000")
	r.stderr.Await(t, "id="+letter41)
	if got, want := idsOf(mustList(t, c.run("dlq", "list", "--json"))), []string{letter33, letter41}; !slices.Equal(got, want) {
		t.Fatalf("letters %q, want %q", got, want)
	}
	mustBe(t, c.run("dlq", "list", "--stage=logger", "--error=PURPOSE"), app.ExitOK, letter41, "1 dead letter\n")
	mustBe(t, c.run("dlq", "list", "--stage=nope"), app.ExitFailed, "", `no stage "nope"`)
	mustBe(t, c.run("dlq", "show", letter33), app.ExitOK, "codec uint64\n    33\n", "")
	mustBe(t, c.run("dlq", "show", "worker.0:generator.0:1"), app.ExitFailed, "", "none with the ID")
	mustBe(t, c.run("dlq", "list", "--pipeline=other", "--dir="+c.dir("fizzbuzz")), app.ExitBlind, "", "belongs to the pipeline fizzbuzz")

	// A letter that the run does not touch: of a source.
	const id = "generator.0:generator.0:7"
	file := exported(t, dlq.Letter{Origin: dlq.Origin{Stage: "generator", Input: "generator", Offset: 7}, Content: dlq.Content{Value: []byte("7"), Codec: "string"}})
	mustBe(t, c.run("dlq", "import", file), app.ExitFailed, "1 was refused", "line 1, "+id)
	mustBe(t, c.run("dlq", "import", "--force", file), app.ExitOK, "imported 1 dead letter", "")
	mustBe(t, c.run("dlq", "import", file), app.ExitOK, "imported 0 dead letters", "")
	broken := c.startIn(func(s *app.System) { s.Stdin = strings.NewReader("{\n" + strings.Repeat("x", 1<<20)) }, "dlq", "import", "-").wait()
	mustBe(t, broken, app.ExitFailed, "", "line 1")
	mustBe(t, c.run("dlq", "export", "--stage=generator"), app.ExitOK, id, "exported 1 dead letter")
	mustBe(t, c.run("dlq", "replay", id, "--dry-run"), app.ExitOK, id, "would request 1 replay")
	mustBe(t, c.run("dlq", "replay", id, "--to=generator"), app.ExitFailed, "", "generator is a source")
	mustBe(t, c.run("dlq", "replay", letter41, "--to=worker"), app.ExitFailed, "1 refused", "worker does not read worker, it reads heartbeat, generator")
	mustBe(t, c.run("dlq", "replay", letter41), app.ExitOK, "requested 1 replay: fizzbuzz is running and handles", "")
	mustBe(t, c.run("dlq", "discard", id, "--yes"), app.ExitOK, "discarded 1 dead letter", "")
	mustBe(t, c.run("dlq", "show", id), app.ExitFailed, "", "none with the ID")
	r.signals <- os.Interrupt
	if end := r.wait(); end.code != app.ExitOK {
		t.Errorf("exit %d\n%s", end.code, end.err)
	}
}

func TestWatchFromRunToRun(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	mustBe(t, c.run("dlq", "watch"), app.ExitBlind, "", "no pipeline has run there yet")
	if r := c.run("run", "--rate=1ms", "--beats=1"); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	w := c.start("dlq", "watch", "--json")
	w.stderr.Await(t, "waiting until fizzbuzz runs")
	offset := uint64(0)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for round := range 2 {
		r := c.start("run", "--rate=5ms", "--beats=100000", "--no-faults")
		r.stderr.Await(t, "number=")
		shown := strings.Count(w.stdout.String(), "\n")
		for strings.Count(w.stdout.String(), "\n") == shown && ctx.Err() == nil { // it begins a little after it says so
			offset++
			file := exported(t, dlq.Letter{Origin: dlq.Origin{Stage: "generator", Input: "generator", Offset: offset}, Write: dlq.Write{At: time.Now()}})
			mustBe(t, c.run("dlq", "import", "--force", file), app.ExitOK, "imported 1 dead letter", "")
		}
		r.signals <- os.Interrupt
		if end := r.wait(); end.code != app.ExitOK {
			t.Fatalf("exit %d\n%s", end.code, end.err)
		}
		if said := strings.Count(w.stderr.String(), "watching fizzbuzz"); said < round+1 {
			t.Errorf("%s", w.stderr)
		}
	}
	w.signals <- os.Interrupt
	end := w.wait()
	if end.code != app.ExitOK {
		t.Errorf("exit %d, %q\n%s", end.code, end.stdout, end.err)
	}
	// None is shown twice, and none that came between two of them is left out.
	last := uint64(0)
	for line := range strings.Lines(end.stdout) {
		var l dlq.Letter
		if err := json.Unmarshal([]byte(line), &l); err != nil || last != 0 && l.Offset != last+1 {
			t.Errorf("after offset %d: %s, %v", last, line, err)
		}
		last = l.Offset
	}
}

func TestLettersOnAnExternalServer(t *testing.T) {
	t.Parallel()
	nats := []string{"--nats", "nats://user:secret@" + startServer(t)}
	ran := commandWithLetters(t, nats...)
	elsewhere := newCommand(t) // has no data directory
	for name, c := range map[string]command{"with the directory": ran, "without it": elsewhere} {
		in := func(args ...string) result { return c.run(append(append([]string{"dlq"}, args...), nats...)...) }
		if got, want := idsOf(mustList(t, in("list", "--json"))), []string{letter33, letter41}; !slices.Equal(got, want) {
			t.Errorf("%s: letters %q, want %q", name, got, want)
		}
		mustBe(t, in("list", "--stage=nope"), app.ExitFailed, "", `no stage "nope"`)
		mustBe(t, in("show", letter33), app.ExitOK, "codec uint64\n    33\n", "")
		mustBe(t, in("replay", letter41), app.ExitOK, "handles it", "")
	}
	none := append([]string{"dlq", "list", "--pipeline=other"}, nats...)
	mustBe(t, elsewhere.run(none...), app.ExitOK, "", "other has never kept dead letters on this server")
	mustBe(t, elsewhere.run(append(none, "--dir="+elsewhere.dir("other"))...), app.ExitBlind, "", "no pipeline has run there yet")

	w := elsewhere.start(append([]string{"dlq", "watch"}, nats...)...)
	w.stderr.Await(t, "watching fizzbuzz")
	mustBe(t, ran.run(append([]string{"dlq", "discard", "-y", letter33}, nats...)...), app.ExitOK, "discarded 1", "")
	file := exported(t, dlq.Letter{Origin: dlq.Origin{Stage: "generator", Input: "generator", Offset: 9}})
	mustBe(t, elsewhere.run(append([]string{"dlq", "import", "--force", file}, nats...)...), app.ExitOK, "imported 1", "")
	w.stdout.Await(t, "generator.0:generator.0:9")
	w.signals <- os.Interrupt
	end := w.wait()
	if end.code != app.ExitOK || strings.Contains(end.err+end.stdout, "secret") {
		t.Errorf("exit %d, %q\n%s", end.code, end.stdout, end.err)
	}
}
