package where

import (
	"path/filepath"

	"penstock/cmd/pipeline/internal/flags"
)

// Place is the data directory.
type Place struct {
	Dir flags.Path `placeholder:"DIR" group:"where" help:"Data directory: lock, checkpoints, control socket and, without --nats, the channels. Default: $$XDG_STATE_HOME/penstock/PIPELINE, or ~/.local/state/penstock/PIPELINE."`
}

// Directory returns the data directory of a pipeline.
func (p Place) Directory(pipeline string, getenv func(string) string) (string, error) {
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
	return "", flags.Usage("neither $XDG_STATE_HOME nor $HOME is set: name a data directory with --dir")
}
