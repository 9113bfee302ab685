//go:build linux

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// facts are what a figure depends on beside the code.
type facts struct {
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	System string    `json:"system"`
	Go     string    `json:"go"`
	Commit string    `json:"commit,omitempty"`
	Load   string    `json:"load,omitempty"` // of the machine, when it began
	Time   time.Time `json:"time"`
	Dir    string    `json:"dir"`
}

func machine(dir string) facts {
	f := facts{CPU: "unknown", Cores: runtime.GOMAXPROCS(0), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		Time: time.Now().UTC().Truncate(time.Second), Dir: filepath.Dir(dir)}
	if file, err := os.Open("/proc/cpuinfo"); err == nil {
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
				f.CPU = strings.TrimSpace(value)
				break
			}
		}
		_ = file.Close()
	}
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(data)); len(fields) > 2 {
			f.Load = strings.Join(fields[:3], " ")
		}
	}
	if data, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
		f.Commit = strings.TrimSpace(string(data))
	}
	return f
}
