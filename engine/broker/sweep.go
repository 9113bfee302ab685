package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// streamMeta is the file that makes a directory a stream. The server removes it first when it deletes a stream.
const streamMeta = "meta.inf"

// sweep finishes the deletion of streams in which the process was killed, and what mend finishes; and flips bits back. The
// server passes over what is left of a deleted one, and takes the old messages for those of the next stream of that name.
func sweep(dir string, logger *slog.Logger) error {
	for _, account := range entries(filepath.Join(dir, "jetstream")) {
		for _, stream := range entries(filepath.Join(account, "streams")) {
			name := filepath.Base(stream)
			_, err := os.Stat(filepath.Join(stream, streamMeta))
			if !errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(name, ".") {
				if err := mend(stream, logger); err != nil {
					return fmt.Errorf("finish the creation or change of stream %s: %w", name, err)
				}
				if err := flipBack(stream, logger); err != nil {
					return fmt.Errorf("flip bits of stream %s back: %w", name, err)
				}
				continue
			}
			logger.Debug("finishing the deletion of a stream", "stream", name)
			if err := os.RemoveAll(stream); err != nil {
				return fmt.Errorf("finish the deletion of stream %s: %w", name, err)
			}
		}
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
