package breaker

import "time"

const (
	defaultFailures = 5
	defaultOpen     = 30 * time.Second
)

// Config says when a breaker opens and for how long. The zero value is ready.
type Config struct {
	Failures int           // consecutive failures that open it; default 5, also when negative
	Open     time.Duration // how long it stays open before one probe is let through; default 30 s, also when negative

	// OnChange is told of every change, in the goroutine that caused it and before its Allow, Done or Drop returns; it may
	// be nil. It may use the breaker, but must not panic. If several goroutines use the breaker it may be called by two of
	// them at once.
	OnChange func(from, to State)
}

func (c Config) withDefaults() Config {
	if c.Failures <= 0 {
		c.Failures = defaultFailures
	}
	if c.Open <= 0 {
		c.Open = defaultOpen
	}
	c.Open = max(c.Open, 2) // a nanosecond less must not be zero, which the library takes for a minute
	return c
}
