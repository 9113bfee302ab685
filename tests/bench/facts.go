package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// facts are what a figure depends on beside the code.
type facts struct {
	CPU         string    `json:"cpu"`
	Cores       int       `json:"cores"`
	OS          string    `json:"os"`
	Go          string    `json:"go"`
	NATSServer  string    `json:"nats_server"`
	NATSClient  string    `json:"nats_client"`
	Dir         string    `json:"dir"`
	FsyncMicros float64   `json:"fsync_us"` // a write of 4 KiB and its fsync, median
	Time        time.Time `json:"time"`
}

func machine(dir string) (facts, error) {
	sync, err := fsync(dir)
	if err != nil {
		return facts{}, fmt.Errorf("time an fsync in %s: %w", dir, err)
	}
	return facts{
		CPU:         cpu(),
		Cores:       runtime.GOMAXPROCS(0),
		OS:          runtime.GOOS + "/" + runtime.GOARCH,
		Go:          runtime.Version(),
		NATSServer:  server.VERSION,
		NATSClient:  nats.Version,
		Dir:         filepath.Dir(dir),
		FsyncMicros: sync,
		Time:        time.Now().UTC().Truncate(time.Second),
	}, nil
}

// cpu is the model's name where the system tells it.
func cpu() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// fsync times what sync always pays for each write: without it nobody can
// judge the figures of another machine.
func fsync(dir string) (micros float64, err error) {
	file, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	block := make([]byte, 4<<10)
	var took []float64
	for range 101 {
		start := time.Now()
		if _, err := file.Write(block); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(start).Nanoseconds())/1000)
	}
	return median(took), nil
}
