//go:build linux

package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// BenchmarkSyncAsTheDiskDies tells what the word of the kernel is worth while a file system goes down under a living process: of
// how many shutdowns that took a write which fsync had reported as done. Such a frame is acknowledged, seen, and gone
// afterwards, which nothing above the kernel can prevent. So the disk of a victim dies between two syncs only.
func BenchmarkSyncAsTheDiskDies(b *testing.B) {
	b.Run("in-a-sync", func(b *testing.B) { diesUnderWriter(b, &sync.Mutex{}) })
	b.Run("between-two-syncs", func(b *testing.B) {
		between := &sync.Mutex{}
		diesUnderWriter(b, between, between)
	})
}

// diesUnderWriter shuts a file system down under a writer that syncs each write and holds writing meanwhile, and under the
// locks.
func diesUnderWriter(b *testing.B, writing *sync.Mutex, locks ...*sync.Mutex) {
	if why := canMount(diskVolume, b.TempDir()); why != "" {
		b.Skip(why)
	}
	v, err := mountVolume(diskVolume, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := v.unmount(); err != nil {
			b.Error(err)
		}
	}()
	gone := 0
	for n := range b.N {
		synced := synced(b, v, writing, func() error {
			time.Sleep(time.Duration(n%20) * time.Millisecond) // any moment
			for _, l := range locks {
				l.Lock()
				defer l.Unlock()
			}
			return v.cutPower()
		})
		if err := v.powerUp(); err != nil {
			b.Fatal(err)
		}
		if stored(b, v) < synced {
			gone++
		}
	}
	b.ReportMetric(float64(gone)/float64(b.N), "gone/shutdown")
}

const recordSize = 200

func records(v *volume) string { return filepath.Join(v.at, "records") }

// synced appends records, each synced, until the file system is cut off, and tells how many fsync had reported.
func synced(b *testing.B, v *volume, writing *sync.Mutex, cut func() error) (count uint64) {
	b.Helper()
	f, err := os.OpenFile(records(v), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	dead := make(chan struct{})
	record := make([]byte, recordSize)
	write := func(n uint64) error {
		writing.Lock()
		defer writing.Unlock()
		binary.BigEndian.PutUint64(record, n)
		if _, err := f.Write(record); err != nil {
			return err
		}
		return f.Sync()
	}
	go func() {
		defer close(dead)
		for write(count+1) == nil {
			count++
		}
	}()
	if err := cut(); err != nil {
		b.Fatal(err)
	}
	<-dead
	return count
}

// stored is how many records there are.
func stored(b *testing.B, v *volume) (count uint64) {
	b.Helper()
	data, err := os.ReadFile(records(v))
	if err != nil && !os.IsNotExist(err) {
		b.Fatal(err)
	}
	for ; len(data) >= recordSize && binary.BigEndian.Uint64(data) == count+1; data = data[recordSize:] {
		count++
	}
	return count
}
