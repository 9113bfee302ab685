package doctorcmd

import (
	"errors"
	"fmt"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/render"
	"penstock/engine/doctor"
)

// Repair mends a data directory.
type Repair struct {
	checkFlags `embed:""`
	JSON       bool `name:"json" help:"Print one JSON object with all findings and actions."`
}

// Run mends, or refuses.
func (c *Repair) Run(a *app.Invocation) error {
	config, err := c.config(a)
	if err != nil {
		return err
	}
	ctx, release := a.Interruptible(func() {})
	defer release()
	if c.Look.Pipeline != "" { // it changes nothing of another one
		found, err := doctor.Examine(ctx, config.ToInspect())
		if err == nil && found.Pipeline != "" {
			err = c.Look.IsFrom(found.Pipeline)
		}
		if err != nil {
			return app.CouldNotLook(fmt.Errorf("repair: %w", c.Look.NATS.Blame(err)))
		}
	}
	done, err := doctor.Repair(ctx, config.ToInspect())
	if done == nil {
		return app.CouldNotLook(fmt.Errorf("repair: %w", c.Look.NATS.Blame(err)))
	}
	sayFindings(a.Hints, done.Examination)
	d := Diagnosis{Examination: done.Examination}
	if err != nil && !errors.Is(err, doctor.ErrNotMendable) {
		d.Advice = "Nothing more was done: " + render.Harmless(a.Hints.Explain(err))
	} else if done.Backup == "" {
		d.advise(a.Hints)
	} else {
		d.Advice = "Repaired. A copy of the directory as it was is " + done.Backup + "\nActions:"
		for _, step := range done.Steps {
			d.Advice += "\n  - " + render.Harmless(step)
		}
	}
	if c.JSON {
		d.Backup = done.Backup
		err = errors.Join(err, d.writeJSON(a.Stdout))
	} else {
		d.mended = done.Backup != "" && err == nil
		err = errors.Join(err, d.write(a.Stdout))
	}
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	return nil
}
