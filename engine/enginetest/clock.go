package enginetest

import (
	"time"

	"penstock/engine/internal/wall"
)

// ShiftClock puts the engine's clock forward, or back by a negative duration, in whole seconds, as when a person puts
// the clock of the machine while the process runs: the time of day jumps and no wait gets longer or shorter. It is that
// of the whole process and stays until it is shifted back, so a test that does this cannot run beside others. Those of
// the NATS server and of the file system do not jump.
func ShiftClock(d time.Duration) { wall.Shift(d) }

// Now is the time of the clock that [ShiftClock] shifts: what a stage must ask instead of time.Now to see it jump.
func Now() time.Time { return wall.Now() }
