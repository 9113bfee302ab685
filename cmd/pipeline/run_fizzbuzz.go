package main

import (
	"time"

	"penstock/examples/fizzbuzz"
)

// fizzbuzzCmd runs the lesson.
type fizzbuzzCmd struct {
	Rate     duration `default:"1s" placeholder:"TIME" help:"Time between two beats, such as 10ms; a number without unit is in milliseconds. Default: 1s."`
	Beats    count    `default:"60" placeholder:"N" help:"How many beats, and numbers. Default: 60."`
	NoFaults bool     `help:"Without the panics on purpose."`
}

// Run runs it.
func (c *fizzbuzzCmd) Run(r *runCmd, a *app) error {
	config := fizzbuzz.Config{Rate: time.Duration(c.Rate), Beats: uint64(c.Beats)}
	if c.NoFaults {
		config.Faults = fizzbuzz.FaultsOff
	}
	// Rate and faults may change from run to run.
	return r.execute(a, fizzbuzz.New(config), arguments{{"--beats", c.Beats}})
}
