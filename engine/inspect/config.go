package inspect

import (
	"log/slog"
	"time"

	"penstock/engine/broker"
)

// Config says which pipeline to look at. engine.Config.ToInspect makes it of the
// configuration of a run.
type Config struct {
	// Dir is the data directory. Required.
	Dir string
	// NATS is the server that has the channels. Its zero value: they are in the
	// directory.
	NATS broker.NATS
	// FrameKeys are those that the frames in the channels are authenticated with, as
	// in engine.Config. Default: none.
	FrameKeys [][]byte
	// Logger gets what happens; default slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// broker is for a copy, which need not be durable, or for a server outside.
func (c Config) broker(pipeline, dir string) broker.Config {
	return c.NATS.Config(pipeline, dir, time.Hour, c.Logger)
}
