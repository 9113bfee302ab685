package main

import (
	"fmt"
	"os"

	"penstock/engine"
	"penstock/examples/fizzbuzz"
	"penstock/examples/unstablecounter"
	"penstock/examples/wordcount"
	"penstock/telemetry"
)

// graphCmd is the verb graph.
type graphCmd struct {
	Pipeline string `arg:"" default:"fizzbuzz" enum:"fizzbuzz,wordcount,unstablecounter" help:"Which pipeline: fizzbuzz, wordcount or unstablecounter."`
	Format   string `default:"dot" enum:"dot,svg" placeholder:"dot|svg" help:"dot for the language of Graphviz, svg to draw it, for which Graphviz has to be installed. Default: dot."`
}

// Run writes the graph, without running the pipeline.
func (c *graphCmd) Run(a *app) error {
	p, err := c.pipeline()
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

func (c *graphCmd) pipeline() (*engine.Pipeline, error) {
	switch c.Pipeline {
	case "wordcount":
		return wordcount.New(wordcount.Config{Files: []string{"."}, Output: os.DevNull}) // which does not matter to the graph
	case "unstablecounter":
		return unstablecounter.New(unstablecounter.Options{}), nil
	}
	return fizzbuzz.New(fizzbuzz.Config{}), nil
}
