package cborhead_test

import (
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"penstock/engine/internal/cborhead"
)

// An integer is nothing but a head: it is the same that the library writes.
func TestAppendWritesTheShortestHead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		edge := rapid.SampledFrom([]uint64{0, 23, math.MaxUint8, math.MaxUint16, math.MaxUint32, math.MaxUint64 - 1}).Draw(rt, "edge")
		n := edge + rapid.Uint64Range(0, 1).Draw(rt, "more")
		want, err := cbor.Marshal(n)
		if err != nil {
			rt.Fatal(err)
		}
		if got := cborhead.Append([]byte("before"), 0, n); string(got) != "before"+string(want) {
			rt.Errorf("%d: %x, want %x", n, got, want)
		}
	})
}
