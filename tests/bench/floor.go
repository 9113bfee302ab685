package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	floorSystem    = "a file, same bytes and fsyncs"
	floorGuarantee = "nothing: no reader, no check, no state"

	// positionBytes is about what a commit without outputs takes.
	positionBytes = 200
)

// withFloor also measures what the disk alone costs: for each stage one file,
// with as many writes as the stage had commits, of the same bytes in all, and
// as many fsyncs; all files at the same time, as the stages are.
func withFloor(run sideFunc, size int) sideFunc {
	return func(ctx context.Context, dir string, sync syncMode, n int) (outcome, error) {
		o, err := run(ctx, dir, sync, n)
		if err != nil {
			return o, err
		}
		files, err := os.MkdirTemp(dir, "floor-")
		if err != nil {
			return o, fmt.Errorf("measure the file: %w", err)
		}
		began := time.Now()
		var group errgroup.Group
		for _, s := range o.status.Stages {
			bytes := int(s.Commits) * positionBytes
			if s.Out > 0 {
				bytes += int(s.Out) * size
			}
			group.Go(func() error { return writeFile(files+"/"+s.Name, bytes, int(s.Commits), sync) })
		}
		if err := group.Wait(); err != nil {
			return o, fmt.Errorf("measure the file: %w", err)
		}
		o.floor = time.Since(began)
		return o, nil
	}
}

// writeFile writes so many bytes in so many writes. With sync always each is
// synced; otherwise once a second, like a pipeline's checkpoints, and at the end.
func writeFile(path string, bytes, writes int, sync syncMode) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	block := make([]byte, bytes/max(writes, 1)+1)
	for i := range block {
		block[i] = byte(i)
	}
	synced := time.Now()
	for i := range writes {
		if _, err := file.Write(block); err != nil {
			return err
		}
		if sync.interval == 0 || i == writes-1 || time.Since(synced) > time.Second {
			if err := file.Sync(); err != nil {
				return err
			}
			synced = time.Now()
		}
	}
	return nil
}
