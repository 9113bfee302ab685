package dlq

import "testing"

func BenchmarkPut(b *testing.B) {
	q := openNew(b)
	offset := uint64(0)
	for b.Loop() {
		mustPut(b, q, letterAt(offset), true)
		offset++
	}
}

func BenchmarkEach(b *testing.B) {
	q := openNew(b)
	for offset := range uint64(1000) {
		mustPut(b, q, letterAt(offset), true)
	}
	for b.Loop() {
		if list, err := offsets(b.Context(), q); err != nil || len(list) != 1000 {
			b.Fatal(len(list), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/letter")
}
