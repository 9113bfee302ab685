package doctor_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/internal/testing/patient"
)

func TestExamineAndRepairOfASoundDirectory(t *testing.T) {
	t.Parallel()
	for _, image := range patient.Images(t) {
		e, err := doctor.Examine(t.Context(), patient.Config(image.Dir).ToInspect())
		if err != nil || !e.Sound || e.Pipeline != "examined" || len(e.Checked) < 6 {
			t.Errorf("%s: %+v, %v", image.Name, e, err)
		}
		done, err := doctor.Repair(t.Context(), patient.Config(image.Dir).ToInspect())
		if err != nil || done.Backup != "" {
			t.Errorf("%s: %+v, %v", image.Name, done, err)
		}
		if err := patient.GoOn(t, image.Dir); err != nil {
			t.Fatalf("%s: %v", image.Name, err)
		}
		if err := patient.Check(t, image.Dir); err != nil {
			t.Errorf("%s: %v", image.Name, err)
		}
	}
}

func TestExamineNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := doctor.Examine(t.Context(), patient.Config(dir).ToInspect()); !errors.Is(err, doctor.ErrNoDirectory) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := doctor.Repair(t.Context(), patient.Config(filepath.Join(dir, "none")).ToInspect()); !errors.Is(err, doctor.ErrNoDirectory) {
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
	all := patient.Images(t)
	var counts [5]atomic.Uint64
	for round := range rounds {
		damageOnce(t, all, seed+round, &counts)
	}
	t.Logf("%d damages from seed %d: %d mended, %d refused by repair; of those that looked sound %d ran to the exact result and %d were refused by the run; %d mended ones were refused by the run",
		rounds, seed, counts[0].Load(), counts[1].Load(), counts[2].Load(), counts[3].Load(), counts[4].Load())
}

func damageOnce(t *testing.T, all []patient.Image, seed uint64, counts *[5]atomic.Uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	from := all[random.IntN(len(all))]
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(dir, os.DirFS(from.Dir)); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(dir))
	what := damageFile(t, dir, random)
	defer func() {
		if t.Failed() {
			t.Logf("failed at seed %d, %s, %s", seed, from.Name, what)
		}
	}()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("seed %d, %s, %s: %s", seed, from.Name, what, fmt.Sprintf(format, args...))
	}
	raw := filepath.Join(filepath.Dir(dir), "raw")
	if err := os.CopyFS(raw, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	rawErr := patient.GoOn(t, raw)
	if rawErr == nil {
		if err := patient.Check(t, raw); err != nil {
			fail("silently wrong without a repair: %v", err)
		}
	}
	e, err := doctor.Examine(t.Context(), patient.Config(dir).ToInspect())
	if errors.Is(err, engine.ErrNewerVersion) && errors.Is(rawErr, engine.ErrNewerVersion) { // the damage is in a version
		counts[1].Add(1)
		return
	}
	if err != nil {
		fail("examine: %v", err)
		return
	}
	done, err := doctor.Repair(t.Context(), patient.Config(dir).ToInspect())
	if err != nil && !errors.Is(err, doctor.ErrNotMendable) {
		fail("repair: %v", err)
		return
	}
	if (err == nil) != (e.Sound || e.Mendable) || (done.Backup != "") != e.Mendable {
		fail("examined as sound %v, mendable %v, and repaired with %v, backup %q", e.Sound, e.Mendable, err, done.Backup)
	}
	runErr := patient.GoOn(t, dir)
	switch {
	case runErr == nil:
		if err := patient.Check(t, dir); err != nil {
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
		t.Logf("seed %d, %s, %s: refused: %s: %s", seed, from.Name, what, e.Findings[0].Part, e.Findings[0].Text)
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
