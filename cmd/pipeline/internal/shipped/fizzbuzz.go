package shipped

import (
	"time"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/examples/fizzbuzz"
)

// Fizzbuzz runs the lesson.
type Fizzbuzz struct {
	Rate     flags.Duration `default:"1s" placeholder:"TIME" help:"Time between two beats, such as 10ms; a number without a unit is in milliseconds. Default: 1s."`
	Beats    flags.Count    `default:"60" placeholder:"N" help:"Number of beats, and of numbers. Default: 60."`
	NoFaults bool           `help:"Do not fail on purpose."`
}

// Pipeline makes it.
func (c *Fizzbuzz) Pipeline() (*engine.Pipeline, error) {
	config := fizzbuzz.Config{Rate: time.Duration(c.Rate), Beats: uint64(c.Beats)}
	if c.NoFaults {
		config.Faults = fizzbuzz.FaultsOff
	}
	return fizzbuzz.New(config), nil
}

// Decisive are the beats. Rate and faults may change from run to run.
func (c *Fizzbuzz) Decisive() []flags.Argument {
	return []flags.Argument{{Name: "--beats", Value: c.Beats}}
}
