package durability

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"penstock/checkpoint"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/memory"
)

func TestHowFarTheLettersReachIsNoted(t *testing.T) {
	t.Parallel()
	disk := memory.NewDisk()
	corner := disk.Corner("sink.0", func(bool) {})
	reaches := func(want uint64) {
		t.Helper()
		if got, err := Letters(corner); got != want || err != nil {
			t.Errorf("the letters reach %d, %v, want %d", got, err, want)
		}
	}
	reaches(0)
	if err := SetLetters(corner, 5); err != nil {
		t.Fatal(err)
	}
	if err := KeepLetters(corner, 7); err != nil {
		t.Fatal(err)
	}
	reaches(7)
	disk.Cut(0) // of the power: what was not synced is gone
	reaches(5)
	if err := SetLetters(corner, 9|Lost); err != nil {
		t.Fatal(err)
	}
	disk.Cut(0)
	reaches(9 | Lost)
	if err := corner.PutNote(lettersNote, []byte{1}); err != nil {
		t.Fatal(err)
	}
	reaches(0)
}

func TestFilesOfLettersThatAreCutOffEndSooner(t *testing.T) {
	t.Parallel()
	s := &blocks.Stream{Name: "p+dlq", Dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.Dir, "msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	block := filepath.Join(s.Dir, "msgs", "1.blk")
	if err := os.WriteFile(block, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if end, damages, err := LetterFiles(s); end != math.MaxUint64 || len(damages) > 0 || err != nil {
		t.Errorf("whole files end at %d, %v, %v", end, damages, err)
	}
	if err := os.WriteFile(block, []byte("the begin of a rec"), 0o600); err != nil {
		t.Fatal(err)
	}
	if end, damages, err := LetterFiles(s); end != 0 || len(damages) > 0 || err != nil {
		t.Errorf("a record that is cut off: the files end at %d, %v, %v", end, damages, err)
	}
}

func TestTheStoreSaysHowTheChannelsAreSynced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, want := range []bool{false, true, false} { // the first: nothing was noted
		store, err := checkpoint.Open(checkpoint.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if lazy, err := IsLazy(store); lazy != want || err != nil {
			t.Errorf("lazy: %v, %v, want %v", lazy, err, want)
		}
		if err := SetLazy(store, !want); err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
