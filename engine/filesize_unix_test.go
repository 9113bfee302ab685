//go:build unix

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"penstock/checkpoint"
	"penstock/engine"
)

const smallFilesEnv = "PENSTOCK_ENGINE_SMALL_FILES"

func init() {
	if dir := os.Getenv(smallFilesEnv); dir != "" {
		runWithSmallFiles(dir)
		os.Exit(0)
	}
}

// runWithSmallFiles is the child of the test: it may make files of 100 KiB.
func runWithSmallFiles(dir string) {
	small := syscall.Rlimit{Cur: 100 << 10, Max: 100 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		fmt.Println(err)
		return
	}
	err := largeNumbers(func(uint64) {}).Run(context.Background(), quiet(dir))
	fmt.Println(errors.Is(err, checkpoint.ErrFileSize), errors.Is(err, checkpoint.ErrCorrupt), err)
}

// largeNumbers sends numbers that take more than such a file holds.
func largeNumbers(took func(uint64)) *engine.Pipeline {
	p := engine.New("large")
	type large struct {
		N    uint64
		Rest []byte
	}
	numbers := engine.Stage(p, "enlarge", engine.On(engine.Source(p, "numbers", count(40, 1)).WithCapacity(oneByOne),
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[large]) error {
			emit(large{m.Value, make([]byte, 20<<10)})
			return nil
		})).WithCapacity(oneByOne)
	engine.Sink(p, "sink", numbers, func(_ context.Context, sum *uint64, m engine.Message[large]) error {
		*sum += m.Value.N
		took(m.Value.N)
		return nil
	})
	return p
}

// A start with a limit of the size of files is refused before anything is touched, and the next one without it goes on
// where the last one was.
func TestAStartWithALimitOfTheSizeOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p := largeNumbers(func(n uint64) {
		if n == 20 {
			stop()
		}
	})
	if err := p.Run(ctx, quiet(dir)); err != nil || p.Status().Completed {
		t.Fatalf("run: %v, completed %v", err, p.Status().Completed)
	}

	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), smallFilesEnv+"="+dir)
	out, err := command.CombinedOutput()
	if text := string(out); err != nil || !strings.HasPrefix(text, "true false ") || !strings.Contains(text, "ulimit -f") ||
		strings.Contains(text, "Fresh") || strings.Contains(text, "damaged") {
		t.Errorf("%v: %s", err, text)
	}

	run(t, largeNumbers(func(uint64) {}), dir)
	if sum := committedState[uint64](t, dir, "sink")[""]; sum != 40*39/2 {
		t.Errorf("the sum is %d", sum)
	}
}
