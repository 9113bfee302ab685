package showcmd

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/internal/hint"
	"penstock/internal/userfile"
	"penstock/telemetry"
)

// Flags say whether and where a run shows itself.
type Flags struct {
	Telemetry          string      `placeholder:"ADDR|off" group:"telemetry" help:"Address of the dashboard, /metrics and /graph.dot: host:port, or off. Default: $PENSTOCK_TELEMETRY, else 127.0.0.1:9900 or the next free port. An address that other machines can reach needs --telemetry-token-file."`
	TelemetryTokenFile flags.Path  `placeholder:"FILE" group:"telemetry" help:"File with the token that every request must carry, of 16 characters or more. Only you should be able to read the file."`
	Peek               flags.Count `placeholder:"N" group:"telemetry" help:"Show this many of the newest messages of each stream. Default: none, since messages may be confidential."`
	TelemetryHost      []string    `placeholder:"NAME" group:"telemetry" help:"A further host name that requests may use, such as that of a proxy. May be given more than once."`
}

const (
	Off      = "off"
	Variable = "PENSTOCK_TELEMETRY" // what --telemetry is when it is not given
)

// Serve begins to show the pipeline. stop, which may be nil, ends that.
func (f Flags) Serve(a *app.Invocation, p *engine.Pipeline, drain func()) (stop func(), err error) {
	address := cmp.Or(f.Telemetry, a.Getenv(Variable))
	if address == Off {
		return nil, nil
	}
	token, err := f.token(a.Log)
	if err != nil {
		return nil, err
	}
	server, err := telemetry.New(p, telemetry.Config{
		Address: address, Token: token, Hosts: f.TelemetryHost, Peek: int(f.Peek), Drain: drain, Words: a.Hints.Words, Logger: a.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("%w; or --telemetry=off", err)
	}
	if address == "" && server.Addr() != telemetry.DefaultAddress {
		a.Log.Info("the dashboard is ready; its default port was taken", "url", server.URL(), "taken", telemetry.DefaultAddress)
	} else {
		a.Log.Info("the dashboard is ready", "url", server.URL())
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(ctx); err != nil {
			a.Log.Warn("the telemetry server failed", "error", err)
		}
	}()
	return func() { cancel(); <-done }, nil
}

// token reads the token, of which white space at the ends is no part. A file
// that others can read is told of and not refused: that is how some systems hand
// secrets to the only one who is there.
func (f Flags) token(log *slog.Logger) (string, error) {
	if f.TelemetryTokenFile == "" {
		return "", nil
	}
	data, err := userfile.ReadFile(string(f.TelemetryTokenFile))
	if err != nil {
		return "", fmt.Errorf("read the telemetry token: %w", err)
	}
	if info, err := os.Stat(string(f.TelemetryTokenFile)); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		log.Warn("other users of this machine can read the telemetry token", "file", string(f.TelemetryTokenFile), "remedy", "chmod 600 "+hint.Word(string(f.TelemetryTokenFile)))
	}
	data = bytes.TrimSpace(data)
	if len(data) < 16 {
		return "", fmt.Errorf("the token in %s has %d characters: it needs 16 or more, such as the output of `openssl rand -hex 24`", f.TelemetryTokenFile, len(data))
	}
	return string(data), nil
}

// Words are the flags for what mends errors of package telemetry.
var Words = map[string]string{
	telemetry.SetToken.Name: "--telemetry-token-file",
	telemetry.AddHost.Name:  "--telemetry-host",
	telemetry.SetPeek.Name:  "--peek N",
}
