package supervise

import "time"

// Preset is a limit for a group and a backoff for its children that go together.
type Preset struct {
	Limit   Limit
	Backoff Backoff
}

// The presets. They are values to copy from, not to be changed.
var (
	// Production is the usual choice: 5 restarts in 60 s, after 1 s doubling to 30 s.
	Production = Preset{Limit{5, time.Minute}, Exponential(time.Second, 30*time.Second, 2, 0.1)}
	// Strict gives up early: 3 restarts in 30 s, 10 s apart.
	Strict = Preset{Limit{3, 30 * time.Second}, Fixed(10 * time.Second)}
	// Lenient is for what often fails and heals by itself: 20 restarts in 10 min, after 0.5 s growing by half to 2 min.
	Lenient = Preset{Limit{20, 10 * time.Minute}, Exponential(500*time.Millisecond, 2*time.Minute, 1.5, 0.1)}
)
