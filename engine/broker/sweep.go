package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// streamMeta is the file that makes a directory a stream. The server removes it first when it deletes a stream.
const streamMeta = "meta.inf"

// sweep finishes the deletion of streams in which the process was killed, and what mend finishes; and flips bits back.
// The server passes over what is left of a deleted one, and takes the old messages for those of the next stream of that
// name.
func sweep(cfg Config) error {
	for _, account := range entries(filepath.Join(cfg.Dir, "jetstream")) {
		for _, stream := range entries(filepath.Join(account, "streams")) {
			if err := sweepStream(stream, cfg); err != nil {
				return fmt.Errorf("stream %s: %w", filepath.Base(stream), err)
			}
		}
	}
	return nil
}

func sweepStream(dir string, cfg Config) error {
	name := filepath.Base(dir)
	_, err := os.Stat(filepath.Join(dir, streamMeta))
	switch isGone := errors.Is(err, fs.ErrNotExist); {
	case strings.HasPrefix(name, "."), isGone && cfg.StartingOver:
		cfg.Logger.Debug("finishing the deletion of a stream", "stream", name)
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("finish its deletion: %w", err)
		}
		return nil
	case isGone:
		cfg.Logger.Warn("the settings of a stream are missing: creating them again", "stream", name)
		return nil
	}
	if err := mend(dir, cfg.Logger); err != nil {
		return fmt.Errorf("finish its creation or change: %w", err)
	}
	if err := flipBack(dir, cfg.Logger); err != nil {
		return fmt.Errorf("correct flipped bits: %w", err)
	}
	return nil
}

// entries returns the paths in a directory; none when it cannot be read, about which the server says more.
func entries(dir string) (paths []string) {
	list, _ := os.ReadDir(dir)
	for _, entry := range list {
		if entry.IsDir() {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	return paths
}
