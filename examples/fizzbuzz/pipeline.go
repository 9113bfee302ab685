package fizzbuzz

import (
	"time"

	"penstock/engine"
)

// Faults says whether stages fail on purpose.
type Faults int

const (
	// FaultsOn is the default: generator and heartbeat panic once, worker
	// and logger at every try of one message.
	FaultsOn Faults = iota
	// FaultsOff is a run without incidents.
	FaultsOff
)

// Config is what may be chosen. The zero value is ready.
type Config struct {
	Rate   time.Duration // between two beats; default 1 s
	Beats  uint64        // and numbers; default 60
	Faults Faults        // default FaultsOn
}

func (c Config) withDefaults() Config {
	if c.Rate <= 0 {
		c.Rate = time.Second
	}
	if c.Beats == 0 {
		c.Beats = 60
	}
	return c
}

// New declares the pipeline "fizzbuzz". Run it with engine.Pipeline.Run.
func New(config Config) *engine.Pipeline {
	config = config.withDefaults()
	p := engine.New("fizzbuzz")
	numbers := engine.Source(p, "generator", config.generate, hooks[Count, uint64]())
	beats := engine.Source(p, "heartbeat", config.beat(), hooks[Beats, time.Time]())
	words := engine.Stage(p, "worker",
		engine.On(beats, credit),
		engine.On(numbers, config.work),
		hooks[Tally, Word]())
	engine.Sink(p, "logger", words, config.log, hooks[Logged, engine.None]())
	return p
}
