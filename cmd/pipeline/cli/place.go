package cli

import (
	"path/filepath"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/internal/hint"
)

// place is the data directory.
type place struct {
	Dir flags.Path `placeholder:"DIR" group:"where" help:"Data directory: lock, checkpoints, control socket and, without --nats, the channels. Default: $$XDG_STATE_HOME/penstock/PIPELINE, or ~/.local/state/penstock/PIPELINE."`
}

// directory returns the data directory of a pipeline.
func (p place) directory(pipeline string, getenv func(string) string) (string, error) {
	if p.Dir != "" {
		return string(p.Dir), nil
	}
	// The specification tells to ignore a relative path.
	if base := getenv("XDG_STATE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "penstock", pipeline), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "penstock", pipeline), nil
	}
	return "", flags.Usage("there is neither $XDG_STATE_HOME nor $HOME to keep data in: name a directory with --dir")
}

// where are the flags by which another command finds what this one used, each
// with a space before it.
func where(config engine.Config) string {
	n := config.NATS
	return hint.Place{
		Dir: config.Dir, Servers: broker.Addresses(n.URL), User: n.User, Credentials: n.Credentials, NKeySeed: n.NKeySeed, CA: n.CA,
	}.Flags()
}
