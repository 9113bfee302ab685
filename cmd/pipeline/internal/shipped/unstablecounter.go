package shipped

import (
	"math"
	"time"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/examples/unstablecounter"
)

// ticksPerSecond of the counter.
const ticksPerSecond = uint64(time.Second / unstablecounter.Interval)

// Unstablecounter runs the counter that overflows.
type Unstablecounter struct {
	Seconds flags.Count `default:"5" placeholder:"N" help:"How many seconds to count, with 100 ticks each. A resumed run counts for this time again. Default: 5."`
}

// Pipeline makes it. The seconds are those of the process and may change from
// run to run.
func (c *Unstablecounter) Pipeline() (*engine.Pipeline, error) {
	ticks := min(uint64(c.Seconds), math.MaxUint64/ticksPerSecond) * ticksPerSecond
	return unstablecounter.New(unstablecounter.Options{Tick: unstablecounter.Ticks(ticks)}), nil
}
