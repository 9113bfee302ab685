package showcmd

import (
	"cmp"
	"fmt"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/telemetry"
)

// Replay is the verb replay-telemetry.
type Replay struct {
	File flags.Path   `arg:"" help:"The recording: what the dashboard saved."`
	Log  app.LogFlags `embed:""`
	Show Flags        `embed:""`
}

// Run serves it until a signal comes.
func (c *Replay) Run(a *app.Invocation) error {
	address := cmp.Or(c.Show.Telemetry, a.Getenv(Variable))
	if c.Show.Telemetry == "" && address == Off { // that is about runs
		address = ""
	}
	if address == Off {
		return flags.Usage("--telemetry=off leaves no place to show the recording: leave it out")
	}
	a.Log = c.Log.Logger(a.Stderr, app.Plain)
	token, err := c.Show.token(a.Log)
	if err != nil {
		return err
	}
	ctx, release := a.Interruptible(func() {})
	defer release()
	config := telemetry.Config{Address: address, Token: token, Hosts: c.Show.TelemetryHost, Words: a.Hints.Words, Logger: a.Log}
	err = telemetry.Play(ctx, string(c.File), config, func(url string) {
		a.Log.Info("showing the recording; stop with Ctrl-C", "file", string(c.File), "url", url)
	})
	if err != nil {
		return fmt.Errorf("show the recording %s: %w", c.File, err)
	}
	return nil
}
