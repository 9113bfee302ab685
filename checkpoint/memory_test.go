package checkpoint

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

const memoryDirEnv = "PENSTOCK_TEST_MEMORY_DIR"

// reportMemory prints the resident memory in KiB without and with an open store.
func reportMemory(dir string) int {
	before := resident()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if err := s.Write([]Update{{Instance: s.Instance("a.0"), Keys: map[string][]byte{"k": {1}}}}); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(before, resident())
	return 0
}

func resident() int {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, _ := strconv.Atoi(strings.Fields(rest)[0])
	return kib
}

func TestAnEmptyStoreTakesLittleMemory(t *testing.T) {
	t.Parallel()
	if raceEnabled || runtime.GOOS != "linux" {
		t.Skip("needs /proc, and memory that is not the race detector's")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), memoryDirEnv+"="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var before, after int
	if _, err := fmt.Sscan(string(out), &before, &after); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("resident: %d KiB before, %d KiB with the store", before, after)
	if grown := after - before; grown > 15<<10 {
		t.Errorf("the store takes %d KiB", grown)
	}
}
