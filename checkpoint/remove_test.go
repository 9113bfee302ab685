package checkpoint

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// An instance that is removed leaves nothing: no key, no large value, no journal, no note; and the others keep theirs.
func TestRemoveLeavesNothingOfAnInstance(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("x"), pieceSize+1)
	write := func(name string, keys int) {
		changes := &Changes{}
		for k := range keys {
			changes.Set(fmt.Sprintf("key-%d", k), []byte(name))
		}
		changes.Set("large", large)
		err := s.Write([]Update{{Instance: s.Instance(name), Checkpoint: Checkpoint{Commit: 1, Sequence: 1, Record: []byte(name)}, Changes: changes}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Instance(name).PutNote("note", []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	many := s.bounds.Keys + 10 // so many go into the journal
	for _, name := range []string{"tally.1", "tally.10", "tally.2"} {
		write(name, many)
	}
	write("small.0", 3)
	count := func(name string) (n int) {
		t.Helper()
		if err := s.Instance(name).Keys("", func(string, []byte) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	check := func(when string) {
		t.Helper()
		names, err := s.Instances()
		if err != nil || !slices.Equal(names, []string{"tally.10", "tally.2"}) {
			t.Fatalf("%s: instances %v, %v", when, names, err)
		}
		if gone, kept := count("tally.1"), count("tally.10"); gone != 0 || kept != many+1 {
			t.Errorf("%s: %d keys of what is removed, %d of the other, want 0 and %d", when, gone, kept, many+1)
		}
		if _, found, err := s.Instance("tally.1").Note("note"); found || err != nil {
			t.Errorf("%s: note of what is removed: %v, %v", when, found, err)
		}
		if note, found, err := s.Instance("tally.10").Note("note"); !found || err != nil || string(note) != "tally.10" {
			t.Errorf("%s: note of the other: %q, %v, %v", when, note, found, err)
		}
		if value, found, err := s.Instance("tally.2").Key("large"); !found || err != nil || !bytes.Equal(value, large) {
			t.Errorf("%s: large value of the other: %v, %v", when, found, err)
		}
	}
	for _, name := range []string{"tally.1", "small.0", "never.0"} {
		if err := s.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	check("at once")
	if len(s.large) != 2 {
		t.Errorf("%d large values are known, want 2", len(s.large))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check("after a restart")
	write("tally.1", 1)
	if n := count("tally.1"); n != 2 {
		t.Errorf("%d keys of what is there again, want 2", n)
	}
}
