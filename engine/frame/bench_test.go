package frame

import (
	"fmt"
	"testing"
)

const perFrame = 256

var sizes = []int{16, 128, 1024}

func BenchmarkSectionAppend(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			var s Section
			m := Message{Time: 1_700_000_000_000_000_000, Value: make([]byte, size)}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if s.Count == perFrame {
					s.Reset(0)
				}
				s.Append(m)
				m.Time += 1000
			}
		})
	}
}

func BenchmarkIterate(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			s := &typical(perFrame, size).Sections[0]
			it := s.Messages()
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := it.Next(); !ok {
					it = s.Messages()
				}
			}
		})
	}
}

func BenchmarkEncodeFrame(b *testing.B) {
	eachFrame(b, func(b *testing.B, f *Frame, c Compression) {
		buf := encode(b, f, c)
		for b.Loop() {
			var err error
			if buf, err = Append(buf[:0], f, Options{Compression: c}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeFrame(b *testing.B) {
	eachFrame(b, func(b *testing.B, f *Frame, c Compression) {
		data := encode(b, f, c)
		for b.Loop() {
			if _, err := Decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeKeyedState(b *testing.B) {
	f := &Frame{State: State{Kind: StateKeyed}}
	for i := range perFrame {
		f.State.Changes = append(f.State.Changes, Change{Key: fmt.Sprintf("customer-%08d", i), Value: make([]byte, 32)})
	}
	data := encode(b, f, None)
	for name, decode := range map[string]func([]byte) (*Frame, error){"all": Decode, "outputs": DecodeOutputs} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func eachFrame(b *testing.B, run func(*testing.B, *Frame, Compression)) {
	for _, c := range []Compression{None, S2} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%v/%dx%dB", c, perFrame, size), func(b *testing.B) {
				b.SetBytes(int64(perFrame * size))
				b.ReportAllocs()
				run(b, typical(perFrame, size), c)
			})
		}
	}
}
