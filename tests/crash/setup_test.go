package crash

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"penstock/internal/testing/leak"
)

var workplace string // of the built victims

// patience is how long a test waits for anything before it gives up.
const patience = 3 * time.Minute

// sideBySide is how many tests run at once unless -parallel says otherwise: victims wait for the disk most of the time.
const sideBySide = 8

func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set(strconv.Itoa(sideBySide))
	}
	var err error
	if workplace, err = os.MkdirTemp("", "penstock-crash"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := leak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := os.RemoveAll(workplace); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

var (
	buildNormal = sync.OnceValues(func() (string, error) { return build("victim") })
	// buildGuard is the command, which takes the pipeline poison as one of its own: its tests see to that.
	buildGuard   = sync.OnceValues(func() (string, error) { return goBuild("test", "../../cmd/pipeline/cli", "guard", "-c") })
	buildMutable = sync.OnceValues(func() (string, error) { return build("mutable", "-tags", "penstock_mutation") })
)

func build(name string, flags ...string) (string, error) {
	return goBuild("build", "./victim", name, flags...)
}

func goBuild(verb, what, name string, flags ...string) (string, error) {
	path := filepath.Join(workplace, name)
	args := append([]string{verb, "-o", path}, flags...)
	if os.Getenv("PENSTOCK_CRASH_RACE") != "" {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, what)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", what, err, out)
	}
	return path, nil
}

func built(t *testing.T, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var seed = sync.OnceValue(func() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("PENSTOCK_CRASH_SEED"), 10, 64); err == nil {
		return n
	}
	return uint64(time.Now().UnixNano()) % 1_000_000
})

// chance returns the random choices of one test.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	t.Logf("PENSTOCK_CRASH_SEED=%d", seed())
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(seed(), name.Sum64()))
}

// kills is how often each thing is to be killed.
func kills(t *testing.T) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("PENSTOCK_CRASH_KILLS")); err == nil && n > 0 {
		return n
	}
	if testing.Short() {
		return 1
	}
	return 3
}
