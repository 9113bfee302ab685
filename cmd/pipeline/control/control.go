package control

import (
	"cmp"
	"log/slog"

	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/words"
	"penstock/engine"
)

// With returns the configuration for Pipeline.Run of p with which that run can be asked.
//
// The socket is there from OnReady to OnStop; those of config are called as well. Only
// the user of the process can connect. What the log hints at are commands of pipeline,
// with the flags that find this run. Where no socket can be made the log says so and
// the run goes on.
func With(p *engine.Pipeline, config engine.Config) engine.Config {
	ready, stop := config.OnReady, config.OnStop
	h := words.Hints{Program: "pipeline", Where: words.Where(config)}
	log := h.Log(cmp.Or(config.Logger, slog.Default()))
	config.Logger = log
	if config.Words == nil {
		config.Words = h.Words
	}
	endAnswers := func() {}
	config.OnReady = func() error {
		if ready != nil {
			if err := ready(); err != nil {
				return err
			}
		}
		endAnswers = socket.Offer(config.Dir, p, log, h)
		return nil
	}
	config.OnStop = func() {
		if stop != nil {
			stop()
		}
		endAnswers()
	}
	return config
}
