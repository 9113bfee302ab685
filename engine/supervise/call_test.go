package supervise

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestCallReturnsTheError(t *testing.T) {
	t.Parallel()
	if err := Call(func() error { return nil }); err != nil {
		t.Error(err)
	}
	if err := Call(func() error { return io.EOF }); err != io.EOF {
		t.Errorf("error = %v, want %v as it is", err, io.EOF)
	}
}

func failHere(how func()) error { how(); return nil }

func deep(n int) {
	if n == 0 {
		panic("deep")
	}
	deep(n - 1)
}

type point struct{ x int }

func TestCallContains(t *testing.T) {
	t.Parallel()
	var (
		none   map[string]int
		nobody *point
		zero   int
		short  []int
		any1   any = "text"
	)
	for name, c := range map[string]struct {
		fail func()
		want string // in the text
		is   error  // wrapped, if any
	}{
		"text":          {func() { panic("boom") }, "panic: boom", nil},
		"error":         {func() { panic(io.ErrUnexpectedEOF) }, "panic: unexpected EOF", io.ErrUnexpectedEOF},
		"slice":         {func() { panic([]int{1, 2}) }, "panic: [1 2]", nil},
		"nil":           {func() { panic(nil) }, "panic: panic called with nil", new(runtime.PanicNilError)},
		"nil map":       {func() { none["a"] = 1 }, "nil map", nil},
		"nil pointer":   {func() { nobody.x++ }, "nil pointer", nil},
		"division":      {func() { zero = 1 / zero }, "divide by zero", nil},
		"index":         {func() { short[3] = 1 }, "index out of range", nil},
		"type":          {func() { _ = any1.(int) }, "interface conversion", nil},
		"closed":        {func() { c := make(chan int); close(c); close(c) }, "close of closed channel", nil},
		"goexit":        {runtime.Goexit, "runtime.Goexit", ErrGoexit},
		"again":         {func() { defer func() { panic("second") }(); panic("first") }, "panic: second", nil},
		"goexit in end": {func() { defer runtime.Goexit(); panic("first") }, "runtime.Goexit", ErrGoexit},
		"fatal":         {func() { panic(Fatal(io.ErrClosedPipe)) }, "panic: io: read/write on closed pipe", io.ErrClosedPipe},
	} {
		err := Call(func() error { return failHere(c.fail) })
		var p *PanicError
		if !errors.As(err, &p) {
			t.Errorf("%s: error = %v, want a *PanicError", name, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: text = %q, want %q in it", name, err, c.want)
		}
		if want, ok := c.is.(*runtime.PanicNilError); ok {
			if !errors.As(err, &want) {
				t.Errorf("%s: value = %T", name, p.Value)
			}
		} else if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: does not wrap %v", name, c.is)
		}
		first, _, _ := strings.Cut(string(p.Stack), "\n")
		if name != "goexit" && name != "goexit in end" && !strings.Contains(first, "TestCallContains.func") || !strings.Contains(string(p.Stack), "supervise.failHere\n\t") {
			t.Errorf("%s: stack does not start where it failed:\n%s", name, p.Stack)
		}
	}
}

func TestDeepStackIsCut(t *testing.T) {
	t.Parallel()
	var p *PanicError
	if err := Call(func() error { deep(100_000); return nil }); !errors.As(err, &p) {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(p.Stack), "\n"), "\n")
	if len(p.Stack) > maxStack || len(lines)%2 != 0 || len(lines) < 100 {
		t.Errorf("stack has %d bytes in %d lines", len(p.Stack), len(lines))
	}
	if !strings.HasSuffix(lines[0], "supervise.deep") || !strings.Contains(lines[len(lines)-1], "call_test.go:") {
		t.Errorf("stack goes from %q to %q", lines[0], lines[len(lines)-1])
	}
}

func ExampleCall() {
	err := Call(func() error {
		var tally map[string]int
		//lint:ignore SA5000 the panic is the point
		tally["fizz"]++
		return nil
	})
	fmt.Println(err)
	// Output: panic: assignment to entry in nil map
}

func BenchmarkCall(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := Call(func() error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// With panicnil=1 recover returns nil for a panic with nil, as before Go 1.21. It is a panic all the same.
func TestAPanicWithNilIsNoSuccess(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	for name, call := range map[string]func(func() error) error{"Call": Call, "Contain": Contain} {
		var panicked *PanicError
		if err := call(func() error { panic(nil) }); !errors.As(err, &panicked) || !strings.Contains(string(panicked.Stack), "call_test.go") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Sound(nilPanic{}); err == nil || !strings.Contains(err.Error(), "its Error method panicked: panic called with nil") {
		t.Errorf("an error whose method panics with nil is %v", err)
	}
}

type nilPanic struct{}

func (nilPanic) Error() string { panic(nil) }
