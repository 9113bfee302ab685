package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/doctor"
)

const (
	examinedValues = 1200
	examinedKeys   = 7
)

// total is the state of the sink: what it has seen.
type total struct{ Count, Sum uint64 }

// examined sums values by key, rejects some, and totals the rest. The source stops
// at a value until it may go on.
func examined(stopAt uint64, goOn <-chan struct{}) *engine.Pipeline {
	p := engine.New("examined")
	values := engine.Source(p, "values", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next >= stopAt {
			select {
			case <-goOn:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for range 10 {
			if at.Next == examinedValues {
				return io.EOF
			}
			emit(at.Next)
			at.Next++
		}
		return nil
	})
	keyed := engine.KeyBy(values, func(v uint64) string { return strconv.FormatUint(v%examinedKeys, 10) })
	sums := engine.Stage(p.With(fast), "sums", engine.On(keyed,
		func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if isPoison(m.Value) {
				return engine.Reject(errPoison)
			}
			*sum += m.Value
			emit(m.Value)
			return nil
		}))
	engine.Sink(p.With(fast), "total", sums, func(_ context.Context, t *total, m engine.Message[uint64]) error {
		t.Count, t.Sum = t.Count+1, t.Sum+m.Value
		return nil
	})
	return p
}

func isPoison(v uint64) bool { return v%101 == 7 }

// checkExamined compares the states with what must come out.
func checkExamined(t *testing.T, dir string) error {
	t.Helper()
	sums, want := map[string]uint64{}, total{}
	for v := range uint64(examinedValues) {
		if !isPoison(v) {
			sums[strconv.FormatUint(v%examinedKeys, 10)] += v
			want.Count, want.Sum = want.Count+1, want.Sum+v
		}
	}
	got := committedState[uint64](t, dir, "sums")
	for key, sum := range sums {
		if got[key] != sum || len(got) != len(sums) {
			return fmt.Errorf("sums %v, want %v", got, sums)
		}
	}
	if got := committedState[total](t, dir, "total")[""]; got != want {
		return fmt.Errorf("total %+v, want %+v", got, want)
	}
	return nil
}

// image is a data directory in the middle of a run: as an orderly stop leaves it,
// or as a death does.
type image struct {
	name string
	dir  string
}

func images(t *testing.T) []image {
	t.Helper()
	var list []image
	for name, interval := range map[string]time.Duration{"trimmed": 5 * time.Millisecond, "whole": time.Hour} {
		dir, died := t.TempDir(), filepath.Join(t.TempDir(), "died")
		p := examined(examinedValues/2, nil)
		config := testConfig(t, dir)
		config.CheckpointInterval = interval
		ctx, cancel := bounded(t)
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx, config) }()
		within(t, "half of it", func() bool {
			s := p.Status()
			return taken(s, "sums") == examinedValues/2 && taken(s, "total") == emitted(s, "sums")
		})
		if interval < time.Second {
			within(t, "checkpoints", func() bool { return engine.Checkpointed(p) })
		}
		if err := copyLive(died, dir); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		list = append(list, image{name + ", stopped", dir}, image{name + ", died", died})
	}
	return list
}

// goOn runs an image to its end. A nil error means that the result is there, to be
// compared.
func goOn(t *testing.T, dir string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p := examined(0, closed())
	err := p.Run(ctx, testConfig(t, dir))
	if err == nil && !p.Status().Completed {
		err = errors.New("it does not come to its end")
	}
	return err
}

func TestExamineAndRepairOfASoundDirectory(t *testing.T) {
	t.Parallel()
	for _, image := range images(t) {
		e, err := doctor.Examine(t.Context(), testConfig(t, image.dir).ToInspect())
		if err != nil || !e.Sound || e.Pipeline != "examined" || len(e.Checked) < 6 {
			t.Errorf("%s: %+v, %v", image.name, e, err)
		}
		done, err := doctor.Repair(t.Context(), testConfig(t, image.dir).ToInspect())
		if err != nil || done.Backup != "" {
			t.Errorf("%s: %+v, %v", image.name, done, err)
		}
		if err := goOn(t, image.dir); err != nil {
			t.Fatalf("%s: %v", image.name, err)
		}
		if err := checkExamined(t, image.dir); err != nil {
			t.Errorf("%s: %v", image.name, err)
		}
	}
}

func TestExamineNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := doctor.Examine(t.Context(), testConfig(t, dir).ToInspect()); !errors.Is(err, doctor.ErrNoDirectory) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := doctor.Repair(t.Context(), testConfig(t, filepath.Join(dir, "none")).ToInspect()); !errors.Is(err, doctor.ErrNoDirectory) {
		t.Errorf("no directory: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("looking left %v", left)
	}
}

// Every kind of file is damaged, in every way: what runs then has the exact result
// or refuses, before a repair and after it.
func TestDamageIsMendedOrRefused(t *testing.T) {
	t.Parallel()
	rounds, seed := uint64(12), rand.Uint64()
	if testing.Short() {
		rounds = 4
	}
	if n, err := strconv.ParseUint(os.Getenv("PENSTOCK_DAMAGES"), 10, 64); err == nil {
		rounds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("PENSTOCK_DAMAGE_SEED"), 10, 64); err == nil {
		seed = n
	}
	all := images(t)
	var counts [5]atomic.Uint64
	for round := range rounds {
		damageOnce(t, all, seed+round, &counts)
	}
	t.Logf("%d damages from seed %d: %d mended, %d refused by repair; of those that looked sound %d ran to the exact result and %d were refused by the run; %d mended ones were refused by the run",
		rounds, seed, counts[0].Load(), counts[1].Load(), counts[2].Load(), counts[3].Load(), counts[4].Load())
}

func damageOnce(t *testing.T, all []image, seed uint64, counts *[5]atomic.Uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	from := all[random.IntN(len(all))]
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(dir, os.DirFS(from.dir)); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(dir))
	what := damageFile(t, dir, random)
	defer func() {
		if t.Failed() {
			t.Logf("failed at seed %d, %s, %s", seed, from.name, what)
		}
	}()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("seed %d, %s, %s: %s", seed, from.name, what, fmt.Sprintf(format, args...))
	}
	raw := filepath.Join(filepath.Dir(dir), "raw")
	if err := os.CopyFS(raw, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	rawErr := goOn(t, raw)
	if rawErr == nil {
		if err := checkExamined(t, raw); err != nil {
			fail("silently wrong without a repair: %v", err)
		}
	}
	e, err := doctor.Examine(t.Context(), testConfig(t, dir).ToInspect())
	if errors.Is(err, engine.ErrNewerVersion) && errors.Is(rawErr, engine.ErrNewerVersion) { // the damage is in a version
		counts[1].Add(1)
		return
	}
	if err != nil {
		fail("examine: %v", err)
		return
	}
	done, err := doctor.Repair(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil && !errors.Is(err, doctor.ErrNotMendable) {
		fail("repair: %v", err)
		return
	}
	if (err == nil) != (e.Sound || e.Mendable) || (done.Backup != "") != e.Mendable {
		fail("examined as sound %v, mendable %v, and repaired with %v, backup %q", e.Sound, e.Mendable, err, done.Backup)
	}
	runErr := goOn(t, dir)
	switch {
	case runErr == nil:
		if err := checkExamined(t, dir); err != nil {
			fail("silently wrong after repair (%v): %v; findings %+v", e.Steps, err, e.Findings)
		}
	case strings.Contains(runErr.Error(), "deadline exceeded"), strings.Contains(runErr.Error(), "come to its end"):
		fail("the run hangs: %v; findings %+v", runErr, e.Findings)
	}
	switch {
	case err != nil && runErr == nil:
		fail("repair refuses what runs: %+v", e.Findings)
	case err != nil:
		counts[1].Add(1)
		t.Logf("seed %d, %s, %s: refused: %s: %s", seed, from.name, what, e.Findings[0].Part, e.Findings[0].Text)
	case e.Sound && runErr == nil:
		counts[2].Add(1)
	case e.Sound:
		counts[3].Add(1)
		fail("it looks sound, and the run refuses it: %v", runErr)
	case runErr == nil:
		counts[0].Add(1)
	default:
		counts[4].Add(1)
		fail("it is mended, and the run refuses it: %v; steps %q, findings %+v", runErr, e.Steps, e.Findings)
	}
}

// damageFile flips a bit in a file, cuts it off, or deletes it.
func damageFile(t *testing.T, dir string, random *rand.Rand) string {
	t.Helper()
	byKind := map[string][]string{}
	var kinds []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		kind := filepath.Ext(path)
		if kind == "" {
			kind = filepath.Base(path)
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 && filepath.Base(path) != "pid" && kind != ".lock" && kind != "reserve" {
			if byKind[kind] == nil {
				kinds = append(kinds, kind)
			}
			byKind[kind] = append(byKind[kind], path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	kind := kinds[random.IntN(len(kinds))]
	path := byKind[kind][random.IntN(len(byKind[kind]))]
	name, _ := filepath.Rel(dir, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := len(data)
	for end > 1 && data[end-1] == 0 { // logs are made large, and filled later
		end--
	}
	at := random.IntN(end)
	switch random.IntN(8) {
	case 0:
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return name + " deleted"
	case 1, 2:
		if err := os.Truncate(path, int64(at)); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s cut off at %d of %d", name, at, len(data))
	}
	data[at] ^= 1 << random.IntN(8)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s: bit flipped at %d of %d", name, at, end)
}
