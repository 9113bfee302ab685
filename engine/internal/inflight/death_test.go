//go:build unix

package inflight

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"penstock/internal/testing/leak"
)

// The test binary is also the process that dies, in the way and on the file that these name.
const (
	victimEnv = "PENSTOCK_INFLIGHT_VICTIM"
	pathEnv   = "PENSTOCK_INFLIGHT_PATH"
)

func TestMain(m *testing.M) {
	if way := os.Getenv(victimEnv); way != "" {
		die(way, os.Getenv(pathEnv))
		return
	}
	leak.Main(m)
}

func victim(t *testing.T, way, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), victimEnv+"="+way, pathEnv+"="+path, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// die never returns for a way to die.
func die(way, path string) {
	switch way {
	case "full speed":
		fullSpeed(path)
	case "no space":
		limit := syscall.Rlimit{Cur: 100, Max: 100}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Println(err)
		}
		_, _, err := Open(path, []string{"a"})
		fmt.Println(err)
		return
	}
	f, _, err := Open(path, []string{"before", "guilty", "batch", "source", "idle"})
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	before := f.Slot("before")
	before.Enter(Message, 0, 41, 1)
	before.Leave()
	f.Slot("batch").Enter(Batch, 2, 1<<40, 256)
	f.Slot("source").Enter(Source, 0, 9, 0)
	guilty := f.Slot("guilty")
	for offset := range uint64(42) {
		guilty.Enter(Message, 1, offset, 1)
		guilty.Leave()
	}
	guilty.Enter(Message, 1, 42, 1)
	ways[way]()
	select {} // the process ends without this goroutine
}

var ways = map[string]func(){
	"SIGKILL": func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"SIGTERM": func() { _ = syscall.Kill(os.Getpid(), syscall.SIGTERM) },
	"SIGSEGV": func() { _ = syscall.Kill(os.Getpid(), syscall.SIGSEGV) },
	"os.Exit": func() { os.Exit(0) },
	"panic":   func() { panic("in the loop") },
	"panic in a goroutine": func() {
		go func() { panic("elsewhere") }()
	},
	"concurrent map writes": func() {
		m := make(map[int]int)
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%100]++
				}
			}()
		}
	},
	"stack overflow": func() {
		debug.SetMaxStack(1 << 20)
		fmt.Println(overflow(0))
	},
}

func overflow(n int) int {
	if n < 0 {
		return 0
	}
	return overflow(n+1) + 1
}

func TestEveryDeathLeavesTheCall(t *testing.T) {
	t.Parallel()
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "inflight")
			out, err := victim(t, way, path).CombinedOutput()
			if (err == nil) != (way == "os.Exit") {
				t.Fatalf("the victim ended with %v: %.2000s", err, out)
			}
			if says := map[string]string{"concurrent map writes": "concurrent map", "stack overflow": "stack", "out of memory": "memory"}[way]; !raceEnabled && !strings.Contains(string(out), says) {
				t.Fatalf("the victim died of something else: %.2000s", out)
			}
			last := read(t, path)
			if last.Clean || last.OtherBoot {
				t.Errorf("%+v", last)
			}
			wantCalls(t, last.Calls, map[string]Call{
				"guilty": {Kind: Message, Input: 1, Offset: 42, Count: 1},
				"batch":  {Kind: Batch, Input: 2, Offset: 1 << 40, Count: 256},
				"source": {Kind: Source, Offset: 9},
			})
		})
	}
}

// speeders write at full speed, and all words of a call follow from one.
const speeders = 4

func speederCall(n uint64) (kind Kind, input int, offset uint64, count int) {
	m := n * 0x9e3779b97f4a7c15
	return Kind(m%6) + 1, int(uint32(m >> 32)), n, int(m >> 1)
}

func speederName(i int) string { return "speeder." + strconv.Itoa(i) }

// fullSpeed writes calls until it is killed. Even slots also leave.
func fullSpeed(path string) {
	names := make([]string, speeders)
	for i := range names {
		names[i] = speederName(i)
	}
	f, _, err := Open(path, names)
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	var begun sync.WaitGroup
	begun.Add(speeders)
	for i, name := range names {
		go func() {
			s := f.Slot(name)
			s.Enter(speederCall(0))
			begun.Done()
			for n := rand.Uint64() >> 1; ; n++ {
				s.Enter(speederCall(n))
				if i%2 == 0 {
					s.Leave()
				}
			}
		}()
	}
	begun.Wait()
	fmt.Println("running")
	select {}
}

// Killed at any moment, a process leaves whole calls or none.
func TestNoTornCallIsBelieved(t *testing.T) {
	t.Parallel()
	kills := 150
	if testing.Short() {
		kills = 30
	}
	path := filepath.Join(t.TempDir(), "inflight")
	var whole, torn int
	for range kills {
		killAtFullSpeed(t, path)
		last := read(t, path)
		if last.Clean {
			t.Fatal("a killed process ended orderly")
		}
		for name, c := range last.Calls {
			kind, input, offset, count := speederCall(c.Offset)
			want := Call{Kind: kind, Input: uint32(input), Offset: offset, Count: uint64(count)}
			wantCalls(t, map[string]Call{name: c}, map[string]Call{name: want})
		}
		for i := 1; i < speeders; i += 2 { // those that never leave
			if _, found := last.Calls[speederName(i)]; found {
				whole++
			} else {
				torn++
			}
		}
	}
	t.Logf("%d kills: of the slots that are never left, %d held a call and %d half of one", kills, whole, torn)
	if whole == 0 {
		t.Error("no call was ever read: nothing is shown")
	}
}

func killAtFullSpeed(t *testing.T, path string) {
	t.Helper()
	cmd := victim(t, "full speed", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("running\n"))
	if _, err := io.ReadFull(out, line); err != nil {
		t.Errorf("%v: %s", err, line)
	}
	<-time.After(time.Duration(rand.IntN(5_000_000))) // at any moment: no condition could say which
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
}
