package layout

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"penstock/engine/internal/plan"
	"penstock/internal/format"
)

type notes map[string][]byte

func (n notes) Note(name string) ([]byte, bool, error) {
	data, found := n[name]
	return data, found, nil
}

func (n notes) PutNote(name string, value []byte) error {
	n[name] = value
	return nil
}

// A note says what it said, what is decided counts at once for all stages, and a newer note is called that.
func TestTheNote(t *testing.T) {
	t.Parallel()
	kept := notes{}
	n, err := Read(kept)
	if err != nil || n.First("tally") != 0 {
		t.Fatalf("without a note: %+v, %v", n, err)
	}
	if _, found := n.Of("tally"); found {
		t.Error("a stage that never changed has a layout")
	}
	n.Moving["tally"], n.Moving["sink"] = plan.Layout{First: 1, Count: 4}, plan.Layout{First: 2, Count: 1}
	if err := n.Write(kept); err != nil {
		t.Fatal(err)
	}
	if n, err = Read(kept); err != nil || len(n.Stages) != 0 || n.Moving["tally"] != (plan.Layout{First: 1, Count: 4}) {
		t.Fatalf("under way: %+v, %v", n, err)
	}
	for name, want := range map[string]bool{"tally.1": true, "tally.4": true, "tally.5": false, "tally.0": false, "sink.2": true, "else.1": false} {
		if n.IsLeft(name) != want {
			t.Errorf("while it moves: %s is left: %v", name, !want)
		}
	}
	counts := map[string]plan.Carried{"tally.1": {In: 3, Out: 2}}
	if err := n.Decided(counts).Write(kept); err != nil {
		t.Fatal(err)
	}
	const want = `{"format":1,"stages":{"sink":{"first":2,"count":1},"tally":{"first":1,"count":4}},"counts":{"tally.1":{"in":3,"out":2}}}`
	if got := string(kept[name]); got != want {
		t.Errorf("%s, want %s: give another form the next number, and read this one too", got, want)
	}
	if n, err = Read(kept); err != nil || n.First("tally") != 1 || len(n.Moving) != 0 || !maps.Equal(n.Counts, counts) {
		t.Errorf("decided: %+v, %v", n, err)
	}
	for name, want := range map[string]bool{"tally.0": true, "tally.1": false, "sink.1": true, "sink.2": false} {
		if n.IsLeft(name) != want {
			t.Errorf("decided: %s is left: %v", name, !want)
		}
	}
	kept[name] = []byte(strings.Replace(want, `"format":1`, `"format":2`, 1))
	if _, err := Read(kept); !errors.Is(err, format.ErrNewer) {
		t.Errorf("of a newer build: %v", err)
	}
}
