package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"penstock/checkpoint/internal/journal"
)

func TestWriteReplacesAndDeletes(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	if _, found, err := i.Load(); found || err != nil {
		t.Fatalf("Load before the first Write: %v, %v", found, err)
	}
	write(t, Update{Instance: i, Checkpoint: Checkpoint{Commit: 1}, Keys: map[string][]byte{"gone": {1}, "kept": {1}, "empty": {1}}})
	write(t, Update{Instance: i, Checkpoint: Checkpoint{Commit: 2, Record: []byte{}}, Keys: map[string][]byte{"gone": nil, "empty": {}, "never": nil}})
	if c, _, err := i.Load(); err != nil || c.Commit != 2 || len(c.Record) != 0 {
		t.Errorf("Load() = %+v, %v", c, err)
	}
	if v, found, err := i.Key("gone"); found || err != nil || v != nil {
		t.Errorf("a deleted key: %v, %v, %v", v, found, err)
	}
	if v, found, err := i.Key("empty"); !found || err != nil || v == nil || len(v) != 0 {
		t.Errorf("an empty value: %v, %v, %v", v, found, err)
	}
	if v, found, err := i.Key("kept"); !found || err != nil || !bytes.Equal(v, []byte{1}) {
		t.Errorf("an untouched key: %v, %v, %v", v, found, err)
	}
	if err := s.Write(nil); err != nil {
		t.Errorf("Write of nothing: %v", err)
	}
}

func TestWriteGivesCopies(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	in := []byte("value")
	write(t, Update{Instance: i, Keys: map[string][]byte{"k": in}})
	in[0] = 'X'
	out, _, err := i.Key("k")
	if err != nil || string(out) != "value" {
		t.Fatalf("Key = %q, %v", out, err)
	}
	out[0] = 'Y'
	if again, _, _ := i.Key("k"); string(again) != "value" {
		t.Fatalf("changing a result changed the store: %q", again)
	}
}

func TestWriteRefusesWhatIsTooLargeAsAWhole(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i, other := s.Instance("a.0"), s.Instance("b.0")
	for what, u := range map[string]Update{
		"key":    {Instance: i, Keys: map[string][]byte{strings.Repeat("k", MaxKey+1): {1}}},
		"value":  {Instance: i, Keys: map[string][]byte{"k": make([]byte, MaxValue+1)}},
		"record": {Instance: i, Checkpoint: Checkpoint{Record: make([]byte, MaxValue+1)}},
	} {
		err := s.Write([]Update{{Instance: other, Keys: map[string][]byte{"k": {1}}}, u})
		if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "a.0") {
			t.Errorf("%s over its limit: %v", what, err)
		}
	}
	if _, found, _ := other.Key("k"); found {
		t.Error("part of a refused Write was written")
	}
	if err := s.Write([]Update{{Instance: i}, {Instance: s.Instance("a.0")}}); err == nil {
		t.Error("the same instance twice was taken")
	}
	longest := strings.Repeat("k", MaxKey)
	write(t, Update{Instance: i, Keys: map[string][]byte{longest: {7}}})
	if v, found, err := i.Key(longest); !found || err != nil || v[0] != 7 {
		t.Errorf("the longest key: %v, %v, %v", v, found, err)
	}
}

func TestWritePanicsOnAForeignInstance(t *testing.T) {
	t.Parallel()
	s, other := open(t, t.TempDir()), open(t, t.TempDir())
	for _, i := range []*Instance{nil, other.Instance("a.0")} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_ = s.Write([]Update{{Instance: i}})
		}()
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var wg sync.WaitGroup
	for n := range 4 {
		i := s.Instance(fmt.Sprintf("a.%d", n))
		wg.Go(func() {
			for commit := range uint64(20) {
				state := map[string][]byte{"k": {byte(commit)}, "big": bytes.Repeat([]byte{byte(commit)}, pieceSize+1)}
				if err := s.Write([]Update{{Instance: i, Checkpoint: Checkpoint{Commit: commit}, Keys: state}}); err != nil {
					t.Error(err)
				}
				if err := i.PutNote("tries", []byte{byte(commit)}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 40 {
				c, _, err := i.Load()
				v, found, err2 := i.Key("big")
				if err != nil || err2 != nil || found && uint64(v[0]) < c.Commit {
					t.Errorf("commit %d with key at %d: %v, %v", c.Commit, v[:min(1, len(v))], err, err2)
				}
			}
		})
	}
	wg.Wait()
}

func changesOf(keys map[string][]byte) *Changes {
	c := &Changes{}
	for key, value := range keys {
		c.Set(key, value)
	}
	return c
}

// TestModel runs random writes, walks and restarts against a map.
func TestModel(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		model := map[string][]byte{}
		var commit uint64
		put := func() {
			keys := map[string][]byte{}
			for range rapid.IntRange(0, 4).Draw(t, "keys") {
				key := rapid.SampledFrom([]string{"", "\x00", "a", "a\x00", "b", "\xff"}).Draw(t, "key")
				size := rapid.SampledFrom([]int{-1, 0, 1, 100, journal.JournaledValue + 1, pieceSize, pieceSize + 1}).Draw(t, "size")
				keys[key] = nil
				if size >= 0 {
					keys[key] = bytes.Repeat([]byte{rapid.Byte().Draw(t, "fill")}, size)
				}
			}
			commit++
			u := Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: commit}, Keys: keys}
			if rapid.Bool().Draw(t, "as changes") {
				u.Keys, u.Changes = nil, changesOf(keys)
			}
			s.bounds = journal.Bounds{
				Keys:   rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "journal from"),
				Memory: rapid.SampledFrom([]int{1, 1 << 20, 1 << 20}).Draw(t, "journal memory"),
				Least:  rapid.SampledFrom([]int{1, 1 << 20}).Draw(t, "journal least"),
			}
			if err := s.Write([]Update{u}); err != nil {
				t.Fatal(err)
			}
			for key, value := range keys {
				if model[key] = value; value == nil {
					delete(model, key)
				}
			}
		}
		reopen := func() {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(Config{Dir: dir}); err != nil {
				t.Fatal(err)
			}
		}
		check := func() {
			c, found, err := s.Instance("a.0").Load()
			if err != nil || found != (commit > 0) || c.Commit != commit {
				t.Fatalf("Load() = %+v, %v, %v; want commit %d", c, found, err, commit)
			}
			got := map[string][]byte{}
			err = s.Instance("a.0").Keys("", func(key string, value []byte) error { got[key] = value; return nil })
			if err != nil || !maps.EqualFunc(got, model, bytes.Equal) {
				t.Fatalf("%d keys for %d, %v", len(got), len(model), err)
			}
			for _, key := range []string{"", "\x00", "a", "a\x00", "b", "\xff"} {
				value, found, err := s.Instance("a.0").Key(key)
				if want, had := model[key]; err != nil || found != had || !bytes.Equal(value, want) {
					t.Fatalf("Key(%q) = %.10q, %v, %v; want %.10q", key, value, found, err, want)
				}
			}
		}
		// A restart costs several syncs, so runs are short and restarts rare in them.
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			rapid.SampledFrom([]func(){put, put, put, reopen}).Draw(t, "step")()
			check()
		}
	})
}

func TestALongKeyIsRefusedAmongChanges(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	u := Update{Instance: s.Instance("a.0"), Changes: changesOf(map[string][]byte{strings.Repeat("k", MaxKey+1): {1}})}
	if err := s.Write([]Update{u}); err == nil {
		t.Fatal("no error")
	}
}
