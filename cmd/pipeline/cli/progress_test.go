package cli

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/render"
	"penstock/engine"
)

func TestProgressLines(t *testing.T) {
	t.Parallel()
	start := time.Unix(0, 0)
	status := engine.Status{Pipeline: "p", Stages: []engine.StageStatus{
		{Name: "numbers", Kind: engine.KindSource, Out: 1000},
		{Name: "worker", Kind: engine.KindProcessor, In: 900, Out: 800, Lag: 100},
		{Name: "done", Kind: engine.KindSink, In: 5, Ended: true},
	}}
	var p progress
	p.lines(status, start, 100, 30)
	status.Stages[0].Out += 1_234_567
	status.Stages[1].In += 5
	status.Stages[1].Restarts, status.Stages[1].DeadLetters = 2, 1
	got := p.lines(status, start.Add(time.Second), 100, 30)
	want := []string{
		"stage           in        out     rate/s       lag  restarts      dead",
		"numbers          -  1,235,567  1,234,567         0         0         0",
		"worker         905        800        5.0       100         2         1",
		"done             5          0          -         0         0         0  ended",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	small := p.lines(status, start.Add(2*time.Second), 20, 5)
	if len(small) != 3 || !strings.HasPrefix(small[2], "… and 2 more") || small[0] != "stage             …" {
		t.Errorf("on a small terminal:\n%s", strings.Join(small, "\n"))
	}
	if got := p.lines(engine.Status{Pipeline: "p"}, start, 80, 24); !slices.Equal(got, []string{"p: opening …"}) {
		t.Errorf("before the start: %q", got)
	}
}

func TestScreenKeepsTheBlockBelow(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &render.Screen{Out: &out}
	s.Show([]string{"one", "two"})
	_, _ = io.WriteString(s, "log\n")
	s.Show([]string{"three"})
	s.Leave()
	_, _ = io.WriteString(s, "end\n")
	want := "one\ntwo\n" +
		"\x1b[2A\r\x1b[J" + "log\none\ntwo\n" +
		"\x1b[2A\r\x1b[J" + "three\n" +
		"end\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestRunOnATerminal(t *testing.T) {
	t.Parallel()
	for noColor, esc := range map[string]string{"": "\x1b[92m", "1": "INF running"} {
		output := newWatched()
		code := newApp().run([]string{"run", "--rate=1ms", "--beats=20", "--dir", filepath.Join(t.TempDir(), "data")}, system{
			stdout:   io.Discard,
			stderr:   output,
			getenv:   func(name string) string { return map[string]string{"NO_COLOR": noColor}[name] },
			signals:  make(chan os.Signal),
			terminal: func() (int, int, bool) { return 100, 30, true },
		})
		if code != exitOK {
			t.Errorf("exit %d", code)
		}
		mustContain(t, "the terminal", output.String(), esc, "\x1b[J", "rate/s", "\nlogger           20         0", "complete")
		if strings.Contains(output.String(), "summary") {
			t.Error("there is a summary besides the progress")
		}
	}
}
