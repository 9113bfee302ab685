package cli

import (
	"cmp"
	"log/slog"

	"penstock/engine"
)

// WithControl makes a run that is not started by Main one that can be asked: while it
// runs, the control socket in config.Dir answers state, dlq, events and doctor of any
// program of this package, such as pipeline, when they are given that --dir. It
// returns the configuration for Pipeline.Run of p:
//
//	err := p.Run(ctx, cli.WithControl(p, engine.Config{Dir: dir}))
//
// The socket is there from OnReady to OnStop; those of config are called as well. Only
// the user of the process can connect. What the log hints at are commands of pipeline,
// with the flags that find this run. Where no socket can be made the log says so and
// the run goes on.
func WithControl(p *engine.Pipeline, config engine.Config) engine.Config {
	ready, stop := config.OnReady, config.OnStop
	h := hints{program: "pipeline", where: where(config)}
	log := h.log(cmp.Or(config.Logger, slog.Default()))
	config.Logger = log
	var served *control
	config.OnReady = func() error {
		if ready != nil {
			if err := ready(); err != nil {
				return err
			}
		}
		var err error
		if served, err = serveControl(config.Dir, p, log, h); err != nil {
			log.Warn("no control socket: this run cannot be asked by state, dlq, events and doctor until it has ended", "error", err)
		}
		return nil
	}
	config.OnStop = func() {
		if stop != nil {
			stop()
		}
		if served != nil {
			served.close()
		}
	}
	return config
}
