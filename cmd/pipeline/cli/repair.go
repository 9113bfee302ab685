package cli

import (
	"errors"
	"fmt"

	"penstock/cmd/pipeline/internal/render"
	"penstock/engine"
)

// repairCmd mends a data directory.
type repairCmd struct {
	checkFlags `embed:""`
	JSON       bool `name:"json" help:"One JSON object with what was found and done."`
}

// Run mends, or refuses.
func (c *repairCmd) Run(a *app) error {
	config, err := c.config(a)
	if err != nil {
		return err
	}
	ctx, release := a.interruptible(func() {})
	defer release()
	if c.Look.Pipeline != "" { // it changes nothing of another one
		found, err := engine.Examine(ctx, config)
		if err == nil && found.Pipeline != "" {
			err = c.Look.isFrom(found.Pipeline)
		}
		if err != nil {
			return a.blind("repair", c.Look.NATS.blame(err))
		}
	}
	done, err := engine.Repair(ctx, config)
	if done == nil {
		return a.blind("repair", c.Look.NATS.blame(err))
	}
	a.hints.sayFindings(done.Examination)
	d := diagnosis{Examination: done.Examination}
	if err != nil && !errors.Is(err, engine.ErrNotMendable) {
		d.Advice = "Nothing more was done: " + render.Harmless(a.hints.explain(err))
	} else if done.Backup == "" {
		d.advise(a.hints)
	} else {
		d.Advice = "It is mended. The directory as it was is " + done.Backup + "\nThis was done:"
		for _, step := range done.Steps {
			d.Advice += "\n  - " + render.Harmless(step)
		}
	}
	if c.JSON {
		d.Backup = done.Backup
		err = errors.Join(err, d.writeJSON(a.stdout))
	} else {
		d.mended = done.Backup != "" && err == nil
		err = errors.Join(err, d.write(a.stdout))
	}
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	return nil
}
