package cli

import (
	"fmt"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/telemetry"
)

// graphCmd is the verb graph.
type graphCmd struct {
	Pipeline string `arg:"" default:"${first}" help:"Which pipeline: ${pipelines}. Default: ${first}."`
	Format   string `default:"dot" enum:"dot,svg" placeholder:"dot|svg" help:"dot for the language of Graphviz, svg to draw it, for which Graphviz has to be installed. Default: dot."`
}

// Run writes the graph, without running the pipeline.
func (c *graphCmd) Run(a *app) error {
	p, found, err := a.program.sketch(c.Pipeline)
	if !found {
		return &flags.UsageError{
			Err:  fmt.Errorf("%q is no pipeline of this program: it has %s", c.Pipeline, enumerate(a.program.names())),
			Help: a.name() + " graph --help",
		}
	}
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return err
	}
	if c.Format == "svg" {
		ctx, release := a.interruptible(func() {})
		defer release()
		err = telemetry.WriteSVG(ctx, a.stdout, p.Graph(), nil)
	} else {
		err = telemetry.WriteDOT(a.stdout, p.Graph(), nil)
	}
	if err != nil {
		return fmt.Errorf("write the graph: %w", err)
	}
	return nil
}
