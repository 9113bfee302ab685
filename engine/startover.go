package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"penstock/engine/channel"
)

// startOver deletes what there is of a run that is complete, or that is not
// wanted any more. A deletion that was interrupted is finished first of all:
// half a run must not be taken for one that can be resumed.
func (r *run) startOver(ctx context.Context) error {
	fresh, err := r.dir.isStartingOver(r.pipeline.name)
	if err != nil {
		return err
	}
	fresh = fresh || r.config.Fresh
	if !fresh {
		if fresh, err = r.isComplete(ctx); err != nil || !fresh {
			return err
		}
		r.log.Info("the last run is complete; starting anew")
	}
	if err := r.dir.beginStartingOver(r.pipeline.name); err != nil {
		return err
	}
	if err := os.RemoveAll(r.dir.checkpoints()); err != nil {
		return fmt.Errorf("delete the checkpoints: %w", err)
	}
	if err := channel.DeleteAll(ctx, r.broker, r.pipeline.name); err != nil {
		return fmt.Errorf("delete the channels: %w", err)
	}
	return r.dir.endStartingOver()
}

// startingOver is a file that is there while the last run of a pipeline, whose
// name it holds, is being deleted.
func (d *directory) startingOver() string { return filepath.Join(d.path, "starting-over") }

func (d *directory) isStartingOver(pipeline string) (bool, error) {
	name, err := os.ReadFile(d.startingOver())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("look whether the last run was being deleted: %w", err)
	}
	return err == nil && string(name) == pipeline, nil
}

// beginStartingOver brings the file to the disk before anything is deleted.
func (d *directory) beginStartingOver(pipeline string) error {
	file, err := os.Create(d.startingOver())
	if err == nil {
		_, err = file.WriteString(pipeline)
		err = errors.Join(err, file.Sync(), file.Close(), syncDirectory(d.path))
	}
	if err != nil {
		return fmt.Errorf("note that the last run is being deleted: %w", err)
	}
	return nil
}

func (d *directory) endStartingOver() error {
	if err := os.Remove(d.startingOver()); err != nil {
		return fmt.Errorf("note that the last run is deleted: %w", err)
	}
	return nil
}

func syncDirectory(path string) error {
	if runtime.GOOS == "windows" { // which cannot
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
