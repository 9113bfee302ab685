package jetstream

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"penstock/engine"
)

// randomMessage is one with everything that may be in a message, and mostly one that a source sends.
func randomMessage(r *rand.Rand) Message {
	sizes := []int{0, 1, 23, 24, 255, 256, 65535, 65536, 70000}
	m := Message{
		Subject:  strings.Repeat("s", r.IntN(300)),
		Data:     make([]byte, sizes[r.IntN(len(sizes))]),
		Sequence: r.Uint64() >> r.IntN(64),
		Time:     time.Unix(r.Int64N(4e9), r.Int64N(1e9)/[]int64{1, 1000, 1e9}[r.IntN(3)]).UTC(),
	}
	for k := range m.Data {
		m.Data[k] = byte(r.Uint32())
	}
	switch r.IntN(12) {
	case 0:
		m.Header = map[string][]string{"a": {"1", "2"}, "B": {}}
	case 1:
		m.Time = m.Time.In(time.FixedZone("", 3600))
	case 2:
		m.Time = time.Time{}
	case 3:
		m.Data = nil
	case 4:
		m.Subject = "s.\xff"
	case 5:
		m.Header = map[string][]string{}
	}
	return m
}

// A message has the bytes that engine.CBOR gives it, and what engine.CBOR reads is read to the same: also what was
// damaged, or is refused.
func TestMessagesAreAsCBORWritesThem(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	plain := engine.CBOR[Message]()
	fast := 0
	for range 3000 {
		m := randomMessage(random)
		want, err := plain.Append([]byte("x"), m)
		if err != nil {
			t.Fatal(err)
		}
		data, err := messageCodec.Append([]byte("x"), m)
		if err != nil || !bytes.Equal(data, want) {
			t.Fatalf("%.60x, want %.60x, %v", data, want, err)
		}
		data = data[1:]
		if _, ok := decodeFast(data); ok {
			fast++
		}
		same(t, plain, data)
		if len(data) > 100 {
			data = data[:100]
		}
		switch random.IntN(3) {
		case 0:
			data = data[:random.IntN(len(data)+1)]
		case 1:
			data[random.IntN(len(data))] ^= 1 << random.IntN(8)
		case 2:
			data = append(data, 0)
		}
		same(t, plain, data)
	}
	if fast < 1000 {
		t.Errorf("only %d were read fast", fast)
	}
}

func same(t *testing.T, plain engine.Codec[Message], data []byte) {
	t.Helper()
	got, err := messageCodec.Decode(data)
	want, wrong := plain.Decode(data)
	if (err == nil) != (wrong == nil) {
		t.Fatalf("%.200x: %v, want %v", data, err, wrong)
	}
	if err == nil && !(got.Time.Equal(want.Time) && sameZone(got.Time, want.Time)) {
		t.Fatalf("%.200x: %v, want %v", data, got.Time, want.Time)
	}
	got.Time, want.Time = time.Time{}, time.Time{}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%.200x: %+v, want %+v", data, got, want)
	}
}

func sameZone(a, b time.Time) bool {
	_, x := a.Zone()
	_, y := b.Zone()
	return x == y
}

func BenchmarkCodec(b *testing.B) {
	m := Message{Subject: "orders.new", Data: make([]byte, 100), Sequence: 123456, Time: time.Unix(1700000000, 123456789).UTC()}
	for name, c := range map[string]engine.Codec[Message]{"own": messageCodec, "engine.CBOR": engine.CBOR[Message]()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var data []byte
			for b.Loop() {
				data, _ = c.Append(data[:0], m)
				if _, err := c.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
