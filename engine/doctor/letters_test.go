package doctor_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
)

// letterBlock is the file with the dead letters of an image.
func letterBlock(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "jetstream", "jetstream", "*", "streams", dlq.StreamName("examined"), "msgs", "*.blk"))
	if err != nil || len(found) != 1 {
		t.Fatalf("blocks of the dead letters: %v, %v", found, err)
	}
	return found[0]
}

func countLetters(t *testing.T, dir string) int {
	t.Helper()
	i, err := inspect.Open(t.Context(), patient.Config(dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	queue, found, err := i.DeadLetters(t.Context())
	if err != nil || !found {
		t.Fatalf("dead letters: %v, %v", found, err)
	}
	n, err := queue.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// Letters that are lost are missed: at every start, until a repair accepts it.
func TestLostLettersAreMissed(t *testing.T) {
	t.Parallel()
	poison := 0
	for v := range uint64(patient.Values) {
		if patient.IsPoison(v) {
			poison++
		}
	}
	list := patient.Images(t)
	if testing.Short() {
		list = list[:1] // they differ by what is on the disk
	}
	for _, image := range list {
		for name, harm := range map[string]func(data []byte) []byte{
			"removed":         func([]byte) []byte { return nil },
			"cut off":         func(data []byte) []byte { return data[:len(data)*2/3+9] },
			"zeros":           func(data []byte) []byte { clear(data[len(data)/3 : len(data)/3+64]); return data },
			"a bit":           func(data []byte) []byte { data[len(data)/2] ^= 4; return data },
			"empty behind":    func(data []byte) []byte { return append(data, make([]byte, 900)...) }, // by a cut of the power
			"nothing changed": func(data []byte) []byte { return data },
		} {
			t.Run(image.Name+", "+name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "data")
				if err := os.CopyFS(dir, os.DirFS(image.Dir)); err != nil {
					t.Fatal(err)
				}
				path := letterBlock(t, dir)
				data, err := os.ReadFile(path)
				if err == nil {
					if data = harm(data); data == nil {
						err = os.Remove(path)
					} else {
						err = os.WriteFile(path, data, 0o600)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if name == "a bit" || name == "empty behind" || name == "nothing changed" {
					if err := patient.GoOn(t, dir); err != nil {
						t.Fatal(err)
					}
					if n := countLetters(t, dir); n != poison {
						t.Errorf("%d letters, want %d", n, poison)
					}
					return
				}
				for range 2 {
					if err := patient.GoOn(t, dir); !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "dead letters") {
						t.Fatalf("a start says %v", err)
					}
				}
				done, err := doctor.Repair(t.Context(), patient.Config(dir).ToInspect())
				if err != nil || done.Sound || !strings.Contains(strings.Join(done.Steps, " "), "are lost") {
					t.Fatalf("the repair: %v, %+v", err, done)
				}
				if err := patient.GoOn(t, dir); err != nil {
					t.Fatalf("after %v: %v", done.Steps, err)
				}
				if err := patient.Check(t, dir); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The doctor sees what is lost also where the next start makes the settings of a stream anew.
func TestLostLettersAreSeenBehindUnreadableSettings(t *testing.T) {
	t.Parallel()
	from := patient.Images(t)[0]
	streams, err := filepath.Glob(filepath.Join(from.Dir, "jetstream", "jetstream", "*", "streams", "*", "meta.inf"))
	if err != nil || len(streams) < 3 {
		t.Fatalf("%d streams, %v", len(streams), err)
	}
	for _, settings := range streams {
		t.Run(filepath.Base(filepath.Dir(settings)), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(from.Dir)); err != nil {
				t.Fatal(err)
			}
			relative, err := filepath.Rel(from.Dir, settings)
			if err == nil {
				err = os.Truncate(filepath.Join(dir, relative), 20)
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := doctor.Examine(t.Context(), patient.Config(dir).ToInspect())
			if err != nil || !e.Sound {
				t.Errorf("a start makes them anew, and the doctor says %v, %+v", err, e.Findings)
			}
			if err := os.Remove(letterBlock(t, dir)); err != nil {
				t.Fatal(err)
			}
			if e, err = doctor.Examine(t.Context(), patient.Config(dir).ToInspect()); err != nil || e.Sound {
				t.Errorf("the letters are gone, and the doctor says %v, %+v", err, e.Findings)
			}
			if err := patient.GoOn(t, dir); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("a start says %v", err)
			}
		})
	}
}
