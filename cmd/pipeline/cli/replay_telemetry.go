package cli

import (
	"cmp"
	"fmt"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/telemetry"
)

// replayTelemetryCmd is the verb replay-telemetry.
type replayTelemetryCmd struct {
	File flags.Path     `arg:"" help:"The recording: what the dashboard saved."`
	Log  logFlags       `embed:""`
	Show telemetryFlags `embed:""`
}

// Run serves it until a signal comes.
func (c *replayTelemetryCmd) Run(a *app) error {
	address := cmp.Or(c.Show.Telemetry, a.getenv(telemetryVariable))
	if c.Show.Telemetry == "" && address == telemetryOff { // that is about runs
		address = ""
	}
	if address == telemetryOff {
		return flags.Usage("the recording is shown nowhere: leave --telemetry=off out")
	}
	a.log = c.Log.logger(a.stderr, plain)
	token, err := c.Show.token(a.log)
	if err != nil {
		return err
	}
	ctx, release := a.interruptible(func() {})
	defer release()
	config := telemetry.Config{Address: address, Token: token, Hosts: c.Show.TelemetryHost, Words: a.hints.words, Logger: a.log}
	err = telemetry.Play(ctx, string(c.File), config, func(url string) {
		a.log.Info("the recording is shown; end with Ctrl-C", "file", string(c.File), "url", url)
	})
	if err != nil {
		return fmt.Errorf("show the recording %s: %w", c.File, err)
	}
	return nil
}
