package datadir

import (
	"errors"
	"fmt"
	"io/fs"

	"penstock/engine/internal/blocks"
	"penstock/engine/internal/view"
	"penstock/engine/remedy"
	"penstock/internal/nofollow"
)

// CheckPipeline refuses a directory that says it belongs to another pipeline. It comes before everything else that is
// said of the directory: the remedies of that are for its own pipeline. The description is more than the note of a
// start that was interrupted: an earlier build let another pipeline write that.
func (d *Directory) CheckPipeline(pipeline string) error {
	if d.About.Pipeline != "" {
		return d.CheckOwner(d.About.Pipeline, pipeline)
	}
	name, err := nofollow.ReadFile(d.StartingOver())
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("check whether the last run was being deleted: %w", err)
	case err != nil || len(name) == 0:
		return nil
	}
	return d.CheckOwner(string(name), pipeline)
}

// CheckOwner refuses an owner that is another pipeline.
func (d *Directory) CheckOwner(owner, pipeline string) error {
	if owner == pipeline {
		return nil
	}
	return remedy.Errorf("%w: the data directory %s belongs to the pipeline %q, not %q: name another directory with %v",
		view.ErrRefused, d.Path, owner, pipeline, remedy.Dir)
}

// Owners are the pipelines whose channels are in the directory.
func (d *Directory) Owners() (list []string, err error) {
	streams, err := blocks.Streams(d.Broker())
	if err != nil {
		return nil, fmt.Errorf("look whose channels are in the directory: %w", err)
	}
	for _, s := range streams {
		if owner := s.Settings.Metadata["penstock.pipeline"]; s.Problem == nil && owner != "" {
			list = append(list, owner)
		}
	}
	return list, nil
}
