package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/testing/child"
)

func TestRunOnATerminal(t *testing.T) {
	t.Parallel()
	for noColor, esc := range map[string]string{"": "\x1b[92m", "1": "INF running"} {
		output := child.NewOutput()
		code := newApp().run([]string{"run", "--rate=1ms", "--beats=20", "--dir", filepath.Join(t.TempDir(), "data")}, app.System{
			Stdout:   io.Discard,
			Stderr:   output,
			Getenv:   func(name string) string { return map[string]string{"NO_COLOR": noColor}[name] },
			Signals:  make(chan os.Signal),
			Terminal: func() (int, int, bool) { return 100, 30, true },
		})
		if code != app.ExitOK {
			t.Errorf("exit %d", code)
		}
		mustContain(t, "the terminal", output.String(), esc, "\x1b[J", "rate/s", "\nlogger           20         0", "complete")
		if strings.Contains(output.String(), "summary") {
			t.Error("there is a summary besides the progress")
		}
	}
}
