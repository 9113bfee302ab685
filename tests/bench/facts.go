package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"penstock/tests/figures"
	"runtime"
	"runtime/debug"
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
	Watermill   string    `json:"watermill"` // its NATS adapter
	Commit      string    `json:"commit,omitempty"`
	Load        string    `json:"load,omitempty"` // of the machine, when it began
	Dir         string    `json:"dir"`
	FsyncMicros float64   `json:"fsync_us"` // a write of 4 KiB and its fsync, median
	Time        time.Time `json:"time"`
}

func (f facts) String() string {
	text := fmt.Sprintf("%s, %d cores, %s, %s; nats-server %s, nats.go %s, watermill-nats %s; fsync of 4 KiB in %s: %.0f µs; %s",
		f.CPU, f.Cores, f.OS, f.Go, f.NATSServer, f.NATSClient, f.Watermill, f.Dir, f.FsyncMicros, f.Time.Format("2006-01-02 15:04 UTC"))
	if f.Load != "" {
		text += "; load before " + f.Load
	}
	if f.Commit != "" {
		text += "; commit " + f.Commit
	}
	return text
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
		Watermill:   moduleVersion("github.com/ThreeDotsLabs/watermill-nats/v2"),
		Commit:      commit(),
		Load:        load(),
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

// moduleVersion is the version of a module in this program.
func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}

// commit is what git says of the working directory, if it says anything.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// load is what the kernel says of the last 1, 5 and 15 minutes. On a quiet
// machine the first figure is far below the number of cores.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(data))[:3], " ")
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
	return figures.Median(took), nil
}
