package main

import (
	"path/filepath"
	"strings"
	"unicode"

	"penstock/engine"
	"penstock/engine/broker"
)

// place is the data directory.
type place struct {
	Dir path `placeholder:"DIR" group:"where" help:"Data directory: lock, checkpoints, control socket and, without --nats, the channels. Default: $$XDG_STATE_HOME/penstock/PIPELINE, or ~/.local/state/penstock/PIPELINE."`
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
	return "", usage("there is neither $XDG_STATE_HOME nor $HOME to keep data in: name a directory with --dir")
}

// where are the flags by which another command finds what this one used.
func where(config engine.Config) string {
	flags := " --dir " + shellWord(config.Dir)
	if servers := broker.Addresses(config.NATS.URL); len(servers) > 0 {
		flags += " --nats " + shellWord(strings.Join(servers, ","))
	}
	return flags
}

// shellWord quotes a path in a command that people copy from a log.
func shellWord(path string) string {
	plain := func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("/._-+:,\\", c)
	}
	if !strings.ContainsFunc(path, func(c rune) bool { return !plain(c) }) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
