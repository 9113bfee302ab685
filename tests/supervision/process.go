//go:build unix

package main

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is what this process uses.
type process struct {
	time       time.Time
	cpu        time.Duration
	rss        float64 // MB, NaN where the system does not tell
	heap       float64 // MB in use
	goroutines int
}

func lookAtProcess() process {
	p := process{rss: rss(), goroutines: runtime.NumGoroutine()}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err == nil {
		p.cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	p.heap = float64(memory.HeapInuse) / (1 << 20)
	p.time = time.Now()
	return p
}

func rss() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return math.NaN()
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kb, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				return math.NaN()
			}
			return kb / 1024
		}
	}
	return math.NaN()
}

// diskUse is what the blocks of the files below dir hold, in MB.
func diskUse(dir string) (megabytes float64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // a file that is gone by now
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode().IsRegular() {
			megabytes += float64(stat.Blocks) * 512 / (1 << 20)
		}
		return nil
	})
	return megabytes
}

// percentile is the smallest value that at least a share p of them does not
// exceed; p is in (0, 1].
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
