package breaker

import (
	"testing"
	"time"
)

func BenchmarkHealthyCall(b *testing.B) {
	r := New("bench", Config{})
	b.ReportAllocs()
	for b.Loop() {
		r.Allow()
		r.Done(true)
	}
}

// The dear case: every call has news for the library.
func BenchmarkFailureAndSuccess(b *testing.B) {
	r := New("bench", Config{})
	b.ReportAllocs()
	for b.Loop() {
		r.Allow()
		r.Done(false)
		r.Allow()
		r.Done(true)
	}
}

func BenchmarkRefusal(b *testing.B) {
	r := New("bench", Config{Failures: 1, Open: time.Hour})
	r.Allow()
	r.Done(false)
	b.ReportAllocs()
	for b.Loop() {
		r.Allow()
	}
}

func BenchmarkState(b *testing.B) {
	r := New("bench", Config{})
	for b.Loop() {
		r.State()
	}
}
