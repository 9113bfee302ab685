package main

import (
	"math"
	"time"

	"penstock/examples/unstablecounter"
)

// ticksPerSecond of the counter.
const ticksPerSecond = uint64(time.Second / unstablecounter.Interval)

// unstablecounterCmd runs the counter that overflows.
type unstablecounterCmd struct {
	Seconds count `default:"5" placeholder:"N" help:"How many seconds to count, 100 ticks each. A run that goes on after an interruption counts as long once more. Default: 5."`
}

// Run runs it.
func (c *unstablecounterCmd) Run(r *runCmd, a *app) error {
	ticks := min(uint64(c.Seconds), math.MaxUint64/ticksPerSecond) * ticksPerSecond
	p := unstablecounter.New(unstablecounter.Options{Tick: unstablecounter.Ticks(ticks)})
	// The seconds are those of the process and may change from run to run.
	return r.execute(a, p, arguments{})
}
