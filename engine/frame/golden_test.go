package frame

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of a version that is not released yet")

// golden uses every part of the format.
func golden() *Frame {
	f := &Frame{
		Owner: 1<<64 - 2, Epoch: 7, Commit: 1 << 33, Kind: KindFence, Ended: true, EndPhase: true, Steps: 300, Cursor: "k/9",
		Inputs: []Position{
			{Stream: "numbers", Offset: 1 << 40, Sequence: 99},
			{Stream: "words/late", Instance: 4_294_967_295},
		},
		Timers: []int64{1_700_000_000_000_000_000, -1},
		State:  State{Kind: StateKeyed, Changes: []Change{{Key: "a", Value: []byte("1")}, {Key: "b", Deleted: true}, {Value: []byte{}}}},
	}
	main := Section{Base: 1000}
	main.Append(Message{Time: 1_700_000_000_000_000_000, Value: []byte("first")})
	main.Append(Message{Time: 1_700_000_000_000_000_500, Value: []byte("second"), Key: []byte("key")})
	main.Append(Message{Time: 1_699_999_999_000_000_000, Value: bytes.Repeat([]byte("long "), 40), Key: []byte{}})
	f.Sections = []Section{main, {Branch: "late", Partition: 3, Base: 1<<64 - 1}}
	return f
}

// goldenFile reads a file of testdata and its frame; with -update it writes what was made to it before.
func goldenFile(t *testing.T, file string, made []byte) ([]byte, *Frame) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Decode(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return data, f
}

// TestGolden pins version 1: what was written once must be read for ever, and is still written the same.
func TestGolden(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]Compression{"testdata/v1.frame": None, "testdata/v1-s2.frame": S2} {
		data, f := goldenFile(t, file, encode(t, golden(), c))
		checkFields(t, golden(), f)
		if got := encode(t, f, None); !bytes.Equal(got, encode(t, golden(), None)) {
			t.Errorf("%s: the frame differs", file)
		}
		// How S2 packs may change with the library; how it unpacks may not.
		if got := encode(t, golden(), None); c == None && !bytes.Equal(got, data) {
			t.Errorf("%s: written differently:\n%x, was\n%x", file, got, data)
		}
	}
}
