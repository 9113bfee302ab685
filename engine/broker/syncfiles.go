package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"penstock/internal/nofollow"
)

// fileSyncer makes what an embedded server with a sync interval has
// acknowledged durable, at a moment of the caller's choice: before a
// checkpoint that must not be ahead of the channels. Such a server writes to
// its files before it acknowledges, so that fsync is all that is missing.
type fileSyncer struct {
	dir  string
	last time.Time // what was modified before is synced
}

// SyncFiles returns when everything that the server has acknowledged before
// the call is on disk. That is always so with Sync 0. With an external server,
// whose files are out of reach, it does nothing: its own settings count. It
// must not be called by two goroutines at once.
func (b *Broker) SyncFiles(ctx context.Context) error {
	if b.syncer == nil {
		return nil
	}
	return b.syncer.sync(ctx)
}

// SyncAllFiles is SyncFiles for all that was ever written, also by a process
// that had another Sync. It may be called beside SyncFiles.
func (b *Broker) SyncAllFiles(ctx context.Context) error {
	if !b.Embedded() {
		return nil
	}
	return (&fileSyncer{dir: b.cfg.Dir}).sync(ctx)
}

// SyncStreamFiles returns when everything that the server has acknowledged for a
// stream is on disk. It may be called beside SyncFiles.
func (b *Broker) SyncStreamFiles(ctx context.Context, stream string) error {
	if b.syncer == nil {
		return nil
	}
	return (&fileSyncer{dir: filepath.Join(b.cfg.Dir, "jetstream", globalAccount, "streams", stream)}).sync(ctx)
}

// globalAccount is the account of clients without a login.
const globalAccount = "$G"

// fileTimeStep is more than a file system's time stamps can be behind the
// clock.
const fileTimeStep = 2 * time.Second

func (s *fileSyncer) sync(ctx context.Context) error {
	began := time.Now()
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = s.syncOne(path, entry)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // trimmed in the meantime
		}
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return fmt.Errorf("sync the embedded NATS server's files: %w", err)
	}
	s.last = began.Add(-fileTimeStep)
	return nil
}

func (s *fileSyncer) syncOne(path string, entry fs.DirEntry) error {
	if !entry.IsDir() && !entry.Type().IsRegular() {
		return nil
	}
	info, err := entry.Info()
	if err != nil || info.ModTime().Before(s.last) {
		return err
	}
	open := nofollow.Open
	if entry.IsDir() {
		open = nofollow.OpenDirectory
	}
	file, err := open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
