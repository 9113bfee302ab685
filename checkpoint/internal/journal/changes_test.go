package journal

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestChangesModel runs random changes against a map.
func TestChangesModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := &Changes{}
		model := map[string][]byte{}
		key := rapid.OneOf(rapid.StringN(0, 3, 4), rapid.Map(rapid.IntRange(0, 300), func(n int) string { return fmt.Sprint("shared-", n) }))
		value := rapid.SampledFrom([][]byte{nil, {}, {1}, bytes.Repeat([]byte{2}, 9), bytes.Repeat([]byte{3}, 3000), bytes.Repeat([]byte{4}, 20_000)})
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					k, v := key.Draw(t, "key"), value.Draw(t, "value")
					c.Set(k, v)
					model[k] = v
				}
			},
			"reset": func(t *rapid.T) {
				c.Reset()
				clear(model)
			},
			"": func(t *rapid.T) { checkChanges(t, c, model, key.Draw(t, "from")) },
		})
	})
}

func checkChanges(t *rapid.T, c *Changes, model map[string][]byte, from string) {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	all := map[string][]byte{}
	for key, value := range c.All() {
		all[string(key)] = value
	}
	live := 0
	for key, value := range model {
		live += len(key) + len(value)
	}
	if c.live != live {
		t.Fatalf("%d bytes are said to be current, want %d", c.live, live)
	}
	if c.Len() != len(model) || !maps.EqualFunc(all, model, same) {
		t.Fatalf("%d changes, %d of them found, want %d", c.Len(), len(all), len(model))
	}
	want := slices.DeleteFunc(slices.Sorted(maps.Keys(model)), func(key string) bool { return key < from })
	list := c.From(from)
	if len(list) != len(want) {
		t.Fatalf("%d changes from %q, want %d", len(list), from, len(want))
	}
	for k, change := range list {
		if change.Key != want[k] || !same(change.Value, model[want[k]]) {
			t.Fatalf("change %d from %q is of %q, want %q", k, from, change.Key, want[k])
		}
	}
	for key, want := range model {
		if value, found := c.Get(key); !found || !same(value, want) {
			t.Fatalf("Get(%q) = %.10q, %v", key, value, found)
		}
	}
	if value, found := c.Get("never"); found || value != nil {
		t.Fatalf("a key that was never set: %q", value)
	}
}

func TestChangesCountWhatTheyTake(t *testing.T) {
	t.Parallel()
	c := &Changes{}
	for n := range 10_000 {
		c.Set("growing", bytes.Repeat([]byte{1}, n))
	}
	grown := c.Size()
	if grown < 10_000 || grown > 1<<20 {
		t.Errorf("a state that grew to 10,000 bytes takes %d", grown)
	}
	for n := range 10_000 {
		c.Set("growing", []byte(fmt.Sprint(n)))
	}
	if c.Size() != grown {
		t.Errorf("%d bytes more without need", c.Size()-grown)
	}
	if c.Reset(); c.Len() != 0 || c.Size() != 0 {
		t.Errorf("%d changes of %d bytes after a Reset", c.Len(), c.Size())
	}
}

// A reset keeps memory, but not more than was in use.
func TestChangesLetGoOfMemory(t *testing.T) {
	t.Parallel()
	c := &Changes{}
	set := func(keys int) {
		for n := range keys {
			c.Set(fmt.Sprint(n), bytes.Repeat([]byte{1}, 100))
		}
	}
	set(100_000)
	c.Reset()
	set(50_000)
	if cap(c.entries) < 100_000 {
		t.Error("the memory for so many changes is not kept")
	}
	c.Reset()
	set(1)
	if c.Reset(); cap(c.entries) != 0 || cap(c.slots) != 0 || cap(c.blocks) != 0 {
		t.Error("the memory for 100,000 changes is kept for one")
	}
}

// BenchmarkChanges sets the states of a million keys at random, over and over.
func BenchmarkChanges(b *testing.B) {
	names := make([]string, 1_000_000)
	for n := range names {
		names[n] = fmt.Sprintf("customer-%08d", n)
	}
	c := &Changes{}
	value := make([]byte, 8)
	for b.Loop() {
		c.Set(names[rand.IntN(len(names))], value)
	}
	b.ReportMetric(float64(c.Size())/float64(c.Len()), "bytes/key")
}

func TestChangesTakeLargeStates(t *testing.T) {
	t.Parallel()
	c := &Changes{}
	for _, size := range []int{mostBlock + 1, 1, mostBlock, 3 * mostBlock} {
		want := bytes.Repeat([]byte{byte(size % 251)}, size)
		c.Set("small", []byte("small"))
		c.Set("large", want)
		if got, _ := c.Get("large"); !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as %d", size, len(got))
		}
		if got, _ := c.Get("small"); string(got) != "small" {
			t.Errorf("the other state is %q", got)
		}
	}
}
