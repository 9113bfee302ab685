//go:build unix

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"penstock/checkpoint"
	"penstock/engine"
	"penstock/internal/testing/rlimit"
)

// smallFiles may make files of 100 KiB.
var smallFiles = rlimit.Child{Name: "PENSTOCK_ENGINE_SMALL_FILES", Resource: syscall.RLIMIT_FSIZE, Most: 100 << 10, Do: runWithSmallFiles}

func init() { smallFiles.Init() }

func runWithSmallFiles(dir string) {
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

	if text := smallFiles.Output(t, dir); !strings.HasPrefix(text, "true false ") || !strings.Contains(text, "ulimit -f") ||
		strings.Contains(text, "Fresh") || strings.Contains(text, "damaged") {
		t.Error(text)
	}

	run(t, largeNumbers(func(uint64) {}), dir)
	if sum := committedState[uint64](t, dir, "sink")[""]; sum != 40*39/2 {
		t.Errorf("the sum is %d", sum)
	}
}
