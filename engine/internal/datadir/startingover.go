package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"penstock/internal/nofollow"
)

// StartingOver is a file that is there while the last run of a pipeline, whose
// name it holds, is being deleted.
func (d *Directory) StartingOver() string { return filepath.Join(d.Path, "starting-over") }

// IsStartingOver says whether that is so for a pipeline.
func (d *Directory) IsStartingOver(pipeline string) (bool, error) {
	name, err := nofollow.ReadFile(d.StartingOver())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("check whether the last run was being deleted: %w", err)
	}
	return err == nil && string(name) == pipeline, nil
}

// BeginStartingOver brings the file to the disk before anything is deleted.
func (d *Directory) BeginStartingOver(pipeline string) error {
	if err := d.write(d.StartingOver(), []byte(pipeline)); err != nil {
		return fmt.Errorf("record that the last run is being deleted: %w", err)
	}
	return nil
}

// EndStartingOver removes the file.
func (d *Directory) EndStartingOver() error {
	if err := os.Remove(d.StartingOver()); err != nil {
		return fmt.Errorf("record that the last run is deleted: %w", err)
	}
	return nil
}
