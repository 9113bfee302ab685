package showcmd

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/internal/hint"
)

// tokenOf reads a token from a file with that text.
func tokenOf(t *testing.T, text string, mode os.FileMode) (token, log string, err error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a token")
	if err := errors.Join(os.WriteFile(name, []byte(text), mode), os.Chmod(name, mode)); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	token, err = Flags{TelemetryTokenFile: flags.Path(name)}.token(slog.New(slog.NewTextHandler(&lines, nil)))
	return token, strings.ReplaceAll(lines.String(), hint.Word(name), "FILE"), err
}

func TestATokenIsReadFromAFile(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef"
	if token, log, err := tokenOf(t, "\n "+secret+"\r\n", 0o600); token != secret || log != "" || err != nil {
		t.Errorf("%q, %v\n%s", token, err, log)
	}
	for _, short := range []string{"", "  \n", secret[1:]} {
		if token, _, err := tokenOf(t, short, 0o600); token != "" || err == nil || strings.Contains(err.Error(), secret[1:]) {
			t.Errorf("%q is the token %q, %v", short, token, err)
		}
	}
	token, log, err := tokenOf(t, secret, 0o644)
	if token != secret || err != nil || strings.Contains(log, secret) {
		t.Errorf("%q, %v\n%s", token, err, log)
	}
	if runtime.GOOS != "windows" && !strings.Contains(log, "other users of this machine can read") {
		t.Errorf("the log has no warning: %s", log)
	}
	if token, err := (Flags{}).token(nil); token != "" || err != nil {
		t.Errorf("without a file: %q, %v", token, err)
	}
	if _, err := (Flags{TelemetryTokenFile: flags.Path(filepath.Join(t.TempDir(), "none"))}).token(nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
}

// program has one pipeline.
type program struct{}

func (program) Called() string      { return "orders" }
func (program) Pipelines() []string { return []string{"some"} }

func (program) Sketch(name string) (*engine.Pipeline, bool, error) {
	switch name {
	case "some":
		return engine.New("some"), true, nil // which has no stages
	case "bad":
		return nil, true, errors.New("it needs --rate")
	}
	return nil, false, nil
}

// invoked is an invocation in an environment where telemetry is that.
func invoked(telemetry string) *app.Invocation {
	getenv := func(name string) string {
		if name == Variable {
			return telemetry
		}
		return ""
	}
	return app.Begin(program{}, nil, app.System{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Getenv: getenv}, Words)
}

func TestNothingIsShownWhenItIsOff(t *testing.T) {
	t.Parallel()
	for given, variable := range map[string]string{Off: "127.0.0.1:0", "": Off} {
		stop, err := (Flags{Telemetry: given, TelemetryTokenFile: "/no such file"}).Serve(invoked(variable), nil, nil)
		if stop != nil || err != nil {
			t.Errorf("--telemetry=%s with %s=%s: it is shown, %v", given, Variable, variable, err)
		}
	}
	var usage *flags.UsageError
	if err := (&Replay{Show: Flags{Telemetry: Off}}).Run(invoked("")); !errors.As(err, &usage) {
		t.Errorf("a recording that is shown nowhere: %v", err)
	}
}

func TestAGraphOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	var usage *flags.UsageError
	err := (&Graph{Pipeline: "other"}).Run(invoked(""))
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), `"other"`) || !strings.Contains(err.Error(), "some") || usage.Help != "orders graph --help" {
		t.Errorf("a pipeline that the program does not have: %v", err)
	}
	if err := (&Graph{Pipeline: "bad"}).Run(invoked("")); err == nil || !strings.Contains(err.Error(), "--rate") {
		t.Errorf("one that cannot be made: %v", err)
	}
	a := invoked("")
	if err := (&Graph{Pipeline: "some"}).Run(a); err == nil || a.Stdout.(*bytes.Buffer).Len() > 0 {
		t.Errorf("one that is not sound: %v, and %s", err, a.Stdout)
	}
}
