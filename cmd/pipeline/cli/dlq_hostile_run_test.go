package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/app"
	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/supervise"
)

// hostileValues are what a pipeline may meet.
func hostileValues() []string {
	times := 120_000 // more than 1 MB
	if testing.Short() {
		times /= 10 // the race detector makes each byte expensive
	}
	return []string{
		hostile,
		"\x1b[31mred\u202e" + strings.Repeat("<b>\x00\xff\u009b2J", times),
		"\xff\xfe\x00\x1b]8;;http://evil\x07click\x1b]8;;\x07",
		"<script>alert(1)</script>\u2028\u2029\u2066\ufeff\x7f",
	}
}

// hostilePipeline fails at every message, in its words, in every way.
func hostilePipeline() *engine.Pipeline {
	p := engine.New("hostile")
	type place struct{ Next int }
	values := engine.Source(p, "values", func(ctx context.Context, at *place, emit engine.Emit[string]) error {
		list := hostileValues()
		if at.Next == len(list) {
			<-ctx.Done()
			return ctx.Err()
		}
		emit(list[at.Next], engine.WithKey(hostile))
		at.Next++
		return nil
	})
	for stage, fail := range map[string]func(text string) error{
		"error":  func(text string) error { return fmt.Errorf("%s: %w", hostile, errors.New(text)) },
		"panic":  func(text string) error { panic(text) },
		"reject": func(text string) error { return engine.Reject(errors.New(text)) },
	} {
		engine.Sink(p.With(engine.AttemptDelay(supervise.Immediate())), stage, values,
			func(_ context.Context, _ *struct{}, m engine.Message[string]) error { return fail(m.Value) })
	}
	byKey := engine.KeyBy(values, func(v string) string { return v[:min(len(v), 1000)] })
	engine.Sink(p.With(engine.AttemptDelay(supervise.Immediate())), "keyed", byKey,
		func(_ context.Context, _ *int, m engine.Message[string]) error { return errors.New(m.Key) })
	return p
}

// runPipeline is `pipeline run` with these flags for a pipeline of the test's.
func (c command) runPipeline(p *engine.Pipeline, change func(*app.System), args ...string) *running {
	c.t.Helper()
	r, system := c.world()
	program := newApp()
	a := program.begin(args, system)
	change(&a.System)
	var line grammar
	parser, err := program.parser(&line, kong.Writers(io.Discard, io.Discard))
	if err == nil {
		_, err = parser.Parse(append([]string{"run"}, args...))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	go func() { r.exited <- a.End(line.Run.Execute(a, p, nil)) }()
	return r
}

// steering is what the progress itself writes.
var steering = regexp.MustCompile(`\x1b\[\d+A\r\x1b\[J`)

// Whatever messages, keys and errors hold, no output of a run, of a watch or
// of any look at the letters steers a terminal, and JSON is JSON.
func TestHostileRunIsHarmless(t *testing.T) {
	t.Parallel()
	const letters = 4 * 4
	for name, style := range map[string]struct {
		args   []string
		change func(*app.System)
	}{
		"text":     {nil, func(*app.System) {}},
		"json":     {[]string{"--log-format=json"}, func(*app.System) {}},
		"terminal": {nil, func(s *app.System) { s.Terminal = func() (int, int, bool) { return 100, 30, true } }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCommand(t)
			c.env["NO_COLOR"] = "1"
			dir := filepath.Join(t.TempDir(), "data")
			report := filepath.Join(t.TempDir(), "report")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			table := c.start("dlq", "watch", "--dir", dir)
			lines := c.start("dlq", "watch", "--json", "--dir", dir)
			for _, w := range []*running{table, lines} {
				w.stderr.Await(t, "waiting until")
			}
			r := c.runPipeline(hostilePipeline(), style.change, append([]string{"--dir", dir, "--report", report}, style.args...)...)
			defer func() {
				if t.Failed() {
					t.Logf("the run said %q\nthe watch said %q", r.stderr.String()[max(0, len(r.stderr.String())-3000):], table.stderr)
				}
			}()
			table.stdout.AwaitCount(t, "\n", letters+1)
			lines.stdout.AwaitCount(t, "\n", letters)
			watched := map[string]string{"watch": table.stdout.String(), "watch --json": lines.stdout.String()}
			for _, w := range []*running{table, lines} {
				w.signals <- os.Interrupt
				if end := w.wait(); end.code != app.ExitOK {
					t.Errorf("watch: exit %d\n%s", end.code, end.err)
				}
				watched["watch's words"] += w.stderr.String()
			}
			events := c.run("events", "--dir", dir)
			eventLines := c.run("events", "--json", "--dir", dir)
			r.signals <- os.Interrupt
			end := r.wait()
			if end.code != app.ExitOK {
				t.Errorf("exit %d\n%s", end.code, end.err)
			}
			said, err := os.ReadFile(report)
			if err != nil {
				t.Fatal(err)
			}
			log := steering.ReplaceAllString(end.err, "")
			for what, text := range map[string]string{
				"the log": log, "the report": string(said), "events": events.stdout, "events --json": eventLines.stdout,
				"watch": watched["watch"], "watch --json": watched["watch --json"], "watch's words": watched["watch's words"],
			} {
				mustBeHarmless(t, what, text)
			}
			mustContain(t, "the log", log, "a message became a dead letter", "values.0:0")
			for what, text := range map[string]string{"watch --json": watched["watch --json"], "events --json": eventLines.stdout} {
				mustBeJSONLines(t, what, text)
			}
			if name == "json" {
				mustBeJSONLines(t, "the log", log)
			}
			if !json.Valid(said) {
				t.Errorf("the report is no JSON: %s", said)
			}
			mustShowHarmlessly(t, c, dir, letters)
		})
	}
}

func mustBeJSONLines(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s has a line that is no JSON: %.300q", what, line)
		}
	}
}

// mustShowHarmlessly looks at every letter in every way.
func mustShowHarmlessly(t *testing.T, c command, dir string, letters int) {
	t.Helper()
	table := c.run("dlq", "list", "--dir", dir)
	mustBeHarmless(t, "list", table.stdout+table.err)
	if strings.Count(table.stdout, "\n") != letters+1 {
		t.Errorf("list: %s", table.stdout)
	}
	all := c.run("dlq", "list", "--json", "--dir", dir)
	mustBeHarmless(t, "list --json", all.stdout)
	for _, l := range mustList(t, all) {
		value := hostileValues()[l.Offset]
		key := hostile
		if l.Stage == "keyed" {
			key = value[:min(len(value), 1000)]
		}
		if string(l.Value) != value || l.Key != key || l.Codec != "string" || l.Reason == dlq.ReasonPanic != (l.Stage == "panic") {
			t.Errorf("%s is not what it was: key %q, %d bytes", l.ID(), l.Key, len(l.Value))
		}
		for _, way := range [][]string{nil, {"--full"}, {"--json"}} {
			show := c.run(append([]string{"dlq", "show", l.ID(), "--dir", dir}, way...)...)
			mustBeHarmless(t, "show", show.stdout+show.err)
			if show.code != app.ExitOK || len(way) == 0 && len(show.stdout) > 64<<10 {
				t.Errorf("show %s: exit %d, %d bytes\n%s", l.ID(), show.code, len(show.stdout), show.err)
			}
		}
	}
	export := c.run("dlq", "export", "--dir", dir)
	mustBeHarmless(t, "export", export.stdout+export.err)
	mustBeJSONLines(t, "export", export.stdout)
	// Filters take any bytes, and what is said about them is harmless.
	if r := c.run("dlq", "list", "--dir", dir, "--key", hostile); strings.Count(r.stdout, "\n") < letters/2 {
		t.Errorf("by key: %s%s", r.stdout, r.err)
	}
	for _, flags := range [][]string{{"--error", "none" + hostile}, {"--stage", hostile}, {"--key", "none" + hostile}} {
		r := c.run(append([]string{"dlq", "list", "--dir", dir}, flags...)...)
		mustBeHarmless(t, fmt.Sprint(flags), r.stdout+r.err)
	}
	r := c.run("dlq", "show", hostile, "--dir", dir)
	mustBeHarmless(t, "show of no letter", r.stdout+r.err)
	r = c.run("dlq", "replay", "--dry-run", "--all", "--dir", dir)
	mustBeHarmless(t, "replay --dry-run", r.stdout+r.err)
	r = c.run("dlq", "replay", "keyed.0:values.0:0", "--value", hostile, "--dir", dir)
	mustBeHarmless(t, "replay", r.stdout+r.err)
	r = c.run("dlq", "discard", "--yes", "--all", "--dir", dir)
	mustBeHarmless(t, "discard", r.stdout+r.err)
	if !strings.Contains(r.stdout, fmt.Sprint("discarded ", letters)) {
		t.Errorf("discard: exit %d, %s%s", r.code, r.stdout, r.err)
	}
}
