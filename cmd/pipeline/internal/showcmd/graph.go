package showcmd

import (
	"fmt"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/render"
	"penstock/telemetry"
)

// Graph is the verb graph.
type Graph struct {
	Pipeline string `arg:"" default:"${first}" help:"Which pipeline: ${pipelines}. Default: ${first}."`
	Format   string `default:"dot" enum:"dot,svg" placeholder:"dot|svg" help:"dot for the language of Graphviz, svg for a drawing, which needs Graphviz installed. Default: dot."`
}

// Run writes the graph, without running the pipeline.
func (c *Graph) Run(a *app.Invocation) error {
	p, found, err := a.Program.Sketch(c.Pipeline)
	if !found {
		return &flags.UsageError{
			Err:  fmt.Errorf("%q is not a pipeline of this program: it has %s", c.Pipeline, render.Or(a.Program.Pipelines())),
			Help: a.Name() + " graph --help",
		}
	}
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return err
	}
	if c.Format == "svg" {
		ctx, release := a.Interruptible(func() {})
		defer release()
		err = telemetry.WriteSVG(ctx, a.Stdout, p.Graph(), nil)
	} else {
		err = telemetry.WriteDOT(a.Stdout, p.Graph(), nil)
	}
	if err != nil {
		return fmt.Errorf("write the graph: %w", err)
	}
	return nil
}
