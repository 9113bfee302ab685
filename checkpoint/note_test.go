package checkpoint

import (
	"errors"
	"strings"
	"testing"
)

func TestNotesAreKeptApart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	type notes interface {
		Note(string) ([]byte, bool, error)
		PutNote(string, []byte) error
	}
	holders := func(s *Store) map[string]notes {
		return map[string]notes{"store": s, "a": s.Instance("a"), "a.0": s.Instance("a.0")}
	}
	for who, h := range holders(s) {
		if _, found, err := h.Note("n"); found || err != nil {
			t.Errorf("%s has a note before it was put: %v", who, err)
		}
		for name, value := range map[string]string{"n": who, "": who + " unnamed", "gone": "x"} {
			if err := h.PutNote(name, []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.PutNote("gone", nil); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	for who, h := range holders(open(t, dir)) {
		for name, want := range map[string]string{"n": who, "": who + " unnamed"} {
			if got, found, err := h.Note(name); string(got) != want || !found || err != nil {
				t.Errorf("note %q of %s: %q, %v, %v", name, who, got, found, err)
			}
		}
		if _, found, err := h.Note("gone"); found || err != nil {
			t.Errorf("the deleted note of %s: %v, %v", who, found, err)
		}
	}
}

func TestNoteLimits(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if err := s.PutNote("n", make([]byte, MaxNote+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a note over the limit: %v", err)
	}
	if err := s.PutNote(strings.Repeat("n", MaxKey+1), nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a name over the limit: %v", err)
	}
	if err := s.PutNote(strings.Repeat("n", MaxKey), make([]byte, MaxNote)); err != nil {
		t.Error(err)
	}
}
