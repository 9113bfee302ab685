//go:build linux

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Names of what is measured.
const (
	anonymous   = "memory, MB anonymous"
	resident    = "memory, MB resident"
	liveHeap    = "Go heap live after GC, MB"
	goroutines  = "goroutines"
	openFiles   = "open files"
	checkpoints = "disk, MB of checkpoints"
	channels    = "disk, MB of channels"
	letters     = "disk, MB of dead letters"
	allDisk     = "disk, MB in all"
	waiting     = "messages waiting"
)

// measures are in the order of the report, with what each may grow in a day.
// Resident memory counts pages of mapped files too, which the kernel takes back.
var measures = []struct {
	name string
	aDay float64
}{
	{anonymous, 256}, {resident, 512}, {liveHeap, 128}, {goroutines, 24}, {openFiles, 24},
	{checkpoints, 512}, {channels, 512}, {letters, 64}, {allDisk, 1024},
	{waiting, 100_000},
}

// sample is what was measured at a time.
type sample struct {
	Hours  float64            `json:"hours"` // since the start of the soak
	Values map[string]float64 `json:"values"`
}

const megabyte = 1e6

// useOfProcess measures this process.
func useOfProcess(values map[string]float64) {
	rollup(values, map[string]string{"Anonymous:": anonymous, "Rss:": resident})
	read := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(read)
	values[liveHeap] = float64(read[0].Value.Uint64()) / megabyte
	values[goroutines] = float64(read[1].Value.Uint64())
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		values[openFiles] = float64(len(entries) - 1) // one is that of reading them
	}
}

// rollup reads sums of this process's mappings.
func rollup(values map[string]float64, names map[string]string) {
	data, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || names[fields[0]] == "" {
			continue
		}
		if kb, err := strconv.ParseFloat(fields[1], 64); err == nil {
			values[names[fields[0]]] = kb * 1024 / megabyte
		}
	}
}

// cpuTime is what this process has used, in seconds.
func cpuTime() float64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano()).Seconds()
}

// useOfDisk adds up the blocks of a data directory, by part.
func useOfDisk(dir string, values map[string]float64) {
	for _, name := range []string{checkpoints, channels, letters, allDisk} {
		values[name] = 0
	}
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone by now
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		size := float64(stat.Blocks) * 512 / megabyte
		values[allDisk] += size
		if part := partOf(strings.TrimPrefix(path, dir+"/")); part != "" {
			values[part] += size
		}
		return nil
	})
}

func partOf(path string) string {
	switch top, _, _ := strings.Cut(path, "/"); {
	case top == "checkpoints":
		return checkpoints
	case top == "jetstream" && strings.Contains(path, "++dead-letters/"):
		return letters
	case top == "jetstream":
		return channels
	}
	return ""
}
