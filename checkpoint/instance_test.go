package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestInstanceNames(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, name := range []string{"a", "worker.0", "A_z-9.", strings.Repeat("x", 100)} {
		if got := s.Instance(name).Name(); got != name {
			t.Errorf("Name() = %q, want %q", got, name)
		}
	}
	for _, name := range []string{"", "a/b", "a b", "a\x00", "ü", strings.Repeat("x", 101)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("the name %q was taken", name)
				}
			}()
			s.Instance(name)
		}()
	}
}

func TestInstancesListsThoseWithACheckpoint(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	write(t, Update{Instance: s.Instance("b.1")}, Update{Instance: s.Instance("b.0")}, Update{Instance: s.Instance("b")})
	if err := s.Instance("only-a-note").PutNote("n", []byte("v")); err != nil {
		t.Fatal(err)
	}
	names, err := s.Instances()
	if want := []string{"b", "b.0", "b.1"}; err != nil || !slices.Equal(names, want) {
		t.Fatalf("Instances() = %q, %v; want %q", names, err, want)
	}
}

// collect walks all keys from after on, or from from on when after is nil.
func collect(t *testing.T, walk func(string, func(string, []byte) error) error, begin string) (keys []string) {
	t.Helper()
	err := walk(begin, func(key string, _ []byte) error {
		keys = append(keys, key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestKeysAreOrderedByBytes(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	all := []string{"", "\x00", "\x00\x01", "a", "a\x00", "ab", "b", "\xff", "\xff\xff"}
	state := map[string][]byte{}
	for _, k := range all {
		state[k] = []byte("of " + k)
	}
	// Neighbours in the key space must not show up.
	write(t, Update{Instance: i, Keys: state},
		Update{Instance: s.Instance("a"), Keys: map[string][]byte{"x": nil, "y": {1}}},
		Update{Instance: s.Instance("a.00"), Keys: map[string][]byte{"z": {1}}})

	for _, c := range []struct {
		walk  func(string, func(string, []byte) error) error
		begin string
		want  []string
	}{
		{i.Keys, "", all},
		{i.Keys, "a", all[4:]},
		{i.Keys, "aa", all[5:]},
		{i.Keys, "\xff\xff", nil},
		{i.KeysFrom, "", all},
		{i.KeysFrom, "\x00", all[1:]},
		{i.KeysFrom, "a", all[3:]},
		{i.KeysFrom, "aa", all[5:]},
	} {
		if got := collect(t, c.walk, c.begin); !slices.Equal(got, c.want) {
			t.Errorf("from %q: %q, want %q", c.begin, got, c.want)
		}
	}
	for k, want := range state {
		if got, found, err := i.Key(k); err != nil || !found || !bytes.Equal(got, want) {
			t.Errorf("Key(%q) = %q, %v, %v", k, got, found, err)
		}
	}
}

func TestKeysStopsAtTheCallersError(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	write(t, Update{Instance: i, Keys: map[string][]byte{"a": {}, "b": {}, "c": {}}})
	enough := errors.New("enough")
	calls := 0
	err := i.Keys("", func(string, []byte) error {
		if calls++; calls == 2 {
			return enough
		}
		return nil
	})
	if err != enough || calls != 2 {
		t.Fatalf("Keys = %v after %d calls", err, calls)
	}
}

func TestKeysLetsTheCallersPanicPass(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	write(t, Update{Instance: i, Keys: map[string][]byte{"a": {}}})
	func() {
		defer func() {
			if r := recover(); r != "mine" {
				t.Errorf("recovered %v", r)
			}
		}()
		err := i.Keys("", func(string, []byte) error { panic("mine") })
		t.Errorf("Keys returned %v", err)
	}()
	closeStore(t, s) // would wait for ever for a call that is still counted
}

func TestKeysIsASnapshotAndMayWrite(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	write(t, Update{Instance: i, Keys: map[string][]byte{"a": {}, "b": {}}})
	var seen []string
	err := i.Keys("", func(key string, _ []byte) error {
		seen = append(seen, key)
		return s.Write([]Update{{Instance: i, Keys: map[string][]byte{"b": nil, "c": {}}}})
	})
	if want := []string{"a", "b"}; err != nil || !slices.Equal(seen, want) {
		t.Fatalf("saw %q, %v; want %q", seen, err, want)
	}
	if got, want := collect(t, i.Keys, ""), []string{"a", "c"}; !slices.Equal(got, want) {
		t.Fatalf("afterwards %q, want %q", got, want)
	}
}

func TestManyKeysReopened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	const n = 50_000
	state := make(map[string][]byte, n)
	for k := range n {
		state[fmt.Sprintf("key-%06d", k)] = []byte(fmt.Sprintf("%0500d", k))
	}
	write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: 9, Sequence: 12, Record: []byte("r")}, Keys: state})
	closeStore(t, s)

	i := open(t, dir).Instance("a.0")
	c, found, err := i.Load()
	if err != nil || !found || c.Commit != 9 || c.Sequence != 12 || string(c.Record) != "r" {
		t.Fatalf("Load() = %+v, %v, %v", c, found, err)
	}
	got := make(map[string][]byte, n)
	if err := i.Keys("", func(key string, value []byte) error { got[key] = value; return nil }); err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(got, state, bytes.Equal) {
		t.Fatalf("%d keys came back for %d", len(got), len(state))
	}
	if _, found, err := i.Key("key-x"); found || err != nil {
		t.Errorf("a key that is not there: %v, %v", found, err)
	}
	if _, found, err := i.Key(strings.Repeat("k", MaxKey+1)); found || err != nil {
		t.Errorf("a key that cannot be there: %v, %v", found, err)
	}
}
