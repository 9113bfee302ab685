package disk

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// Sweep removes the empty log files that a crash leaves when it comes between making
// a file and filling it, or between emptying it and removing it. Badger refuses to open
// a directory that has one (its issue 2207).
func Sweep(dir string, logger *slog.Logger) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".mem" && ext != ".vlog" {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("list empty files: %w", err)
		}
		if info.Size() > 0 || !info.Mode().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove empty file: %w", err)
		}
		logger.Debug("removed an empty file left by a crash", "file", filepath.Join(dir, e.Name()))
	}
	return nil
}
