package checkpoint

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"penstock/checkpoint/internal/mend"
)

// A flipped bit anywhere in a table is found and flipped back.
func TestFlippedBitsOfATableAreCorrected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]byte{}
	for n := range 300 {
		keys[string(rune('a'+n))] = make([]byte, 100)
	}
	write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: 1}, Keys: keys})
	closeStore(t, s)
	found, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(found) == 0 {
		t.Fatalf("tables: %v, %v", found, err)
	}
	good, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if list, ok := Corrections(dir); !ok || len(list) != 0 {
		t.Fatalf("nothing is wrong: %v, %v", list, ok)
	}
	random := rand.New(rand.NewPCG(1, 2))
	flips := 25
	if testing.Short() {
		flips = 5
	}
	for range flips {
		bad := append([]byte(nil), good...)
		bit := random.Int64N(int64(len(bad)) * 8)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(found[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, damages := Check(dir); len(damages) == 0 {
			continue // in what no checksum covers, and nobody reads
		}
		list, ok := Corrections(dir)
		if !ok {
			t.Fatalf("bit %d of %d: no correction", bit, len(bad)*8)
		}
		if err := Correct(dir, list); err != nil {
			t.Fatal(err)
		}
		if _, damages := Check(dir); len(damages) > 0 {
			t.Fatalf("bit %d: %v after %v", bit, damages, list)
		}
	}
	manifest := filepath.Join(dir, "MANIFEST")
	list, err := os.ReadFile(manifest)
	if err != nil || !mend.IsManifest(list) {
		t.Fatalf("the manifest: %q, %v", list, err)
	}
	step := int64(1)
	if testing.Short() {
		step = 37
	}
	for bit := int64(0); bit < int64(len(list))*8; bit += step {
		bad := append([]byte(nil), list...)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(manifest, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := mend.CorrectManifest(dir); !ok || got[0].Bit != bit {
			t.Fatalf("bit %d of the manifest: %v, %v", bit, got, ok)
		}
	}
	if err := errors.Join(os.WriteFile(manifest, list, 0o600), os.WriteFile(found[0], good, 0o600), DropSpare(dir)); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if value, found, err := again.Instance("a.0").Key("a"); err != nil || !found || len(value) != 100 {
		t.Errorf("without the spare files: %v, %v, %v", value, found, err)
	}
	closeStore(t, again)
	if err := os.WriteFile(found[0], good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if list, ok := Corrections(dir); ok {
		t.Errorf("half a table: %v", list)
	}
}
