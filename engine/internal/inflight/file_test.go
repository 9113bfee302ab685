package inflight

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

func open(t *testing.T, path string, instances ...string) (*File, Last) {
	t.Helper()
	f, last, err := Open(path, instances)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, last
}

func read(t *testing.T, path string) Last {
	t.Helper()
	last, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// wantCalls compares everything but the times, and that these are of this test.
func wantCalls(t *testing.T, got, want map[string]Call) {
	t.Helper()
	bare := make(map[string]Call)
	for name, call := range got {
		if age := time.Since(call.Since); age < 0 || age > time.Hour {
			t.Errorf("%s: since %v", name, call.Since)
		}
		call.Since = time.Time{}
		bare[name] = call
	}
	if !maps.Equal(bare, want) {
		t.Errorf("calls %v, want %v", bare, want)
	}
}

func TestNoFileIsAnOrderlyEnd(t *testing.T) {
	t.Parallel()
	_, last := open(t, filepath.Join(t.TempDir(), "inflight"), "a")
	if !last.Clean || len(last.Calls) != 0 || last.OtherBoot {
		t.Errorf("%+v", last)
	}
}

func TestClosedIsAnOrderlyEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inflight")
	f, _ := open(t, path, "a")
	s := f.Slot("a")
	s.Enter(Message, 1, 2, 3)
	if last := read(t, path); last.Clean || len(last.Calls) != 1 {
		t.Errorf("in use: %+v", last)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.Enter(Message, 4, 5, 6) // leads nowhere, and not to a fault
	s.Leave()
	f.Slot("a").Enter(Message, 4, 5, 6)
	if last := read(t, path); !last.Clean || last.Calls != nil {
		t.Errorf("closed: %+v", last)
	}
	if _, last := open(t, path, "a"); !last.Clean {
		t.Errorf("opened again: %+v", last)
	}
	if last := read(t, path); last.Clean || len(last.Calls) != 0 {
		t.Errorf("in use again: %+v", last)
	}
}

func TestCallsAreReadAsEntered(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inflight")
	f, _ := open(t, path, "a", "b", "c", "d", "e", "f")
	f.Slot("a").Enter(Message, 0, 0, 1)
	f.Slot("b").Enter(Batch, -1, 1<<64-1, math.MaxInt)
	f.Slot("c").Enter(Timer, 0, 0, 0)
	d := f.Slot("d")
	d.Enter(Hook, 0, 7, 0)
	d.Leave()
	e := f.Slot("e")
	e.Enter(Replay, 1, 2, 3)
	e.Enter(Source, 4, 5, 6)
	e.Leave()
	e.Enter(Source, 4, 6, 6)
	want := map[string]Call{
		"a": {Kind: Message, Count: 1},
		"b": {Kind: Batch, Input: 1<<32 - 1, Offset: 1<<64 - 1, Count: math.MaxInt},
		"c": {Kind: Timer},
		"e": {Kind: Source, Input: 4, Offset: 6, Count: 6},
	}
	wantCalls(t, read(t, path).Calls, want)
	// The next process has other instances, and none of the calls.
	_, last := open(t, path, "z", "b")
	wantCalls(t, last.Calls, want)
	if got := read(t, path); got.Clean || len(got.Calls) != 0 {
		t.Errorf("after the next opening: %+v", got)
	}
}

func TestANewLifeCutsTheOldOneOff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inflight")
	f, _ := open(t, path, "a")
	old := f.Slot("a")
	old.Enter(Message, 0, 1, 1)
	next := f.Slot("a")
	if calls := read(t, path).Calls; len(calls) != 0 {
		t.Errorf("a new life began with %v", calls)
	}
	next.Enter(Message, 0, 2, 1)
	old.Leave()
	old.Enter(Message, 0, 3, 1)
	wantCalls(t, read(t, path).Calls, map[string]Call{"a": {Kind: Message, Offset: 2, Count: 1}})
}

func TestNilDoesNothing(t *testing.T) {
	t.Parallel()
	var f *File
	s := f.Slot("a")
	s.Enter(Message, 0, 0, 1)
	s.Leave()
	if err := f.Close(); s != nil || err != nil {
		t.Error(s, err)
	}
}

func TestSinceIsKnownToATick(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inflight")
	synctest.Test(t, func(t *testing.T) {
		f, _ := open(t, path, "a")
		s := f.Slot("a")
		for range 9 {
			time.Sleep(Tick - Tick/7) // on the bubble's clock
			synctest.Wait()
			s.Enter(Message, 0, 0, 1)
			if age := time.Since(read(t, path).Calls["a"].Since); age < 0 || age > Tick {
				t.Errorf("a call that begins now began %v ago", age)
			}
		}
	})
}

func TestManyInstancesWithLongNames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inflight")
	var names []string
	for i := range 3000 {
		n := strconv.Itoa(i)
		names = append(names, n+strings.Repeat("é", (maxName-len(n))/2))
	}
	f, _ := open(t, path, names...)
	want := make(map[string]Call)
	for i, name := range names {
		f.Slot(name).Enter(Message, i, uint64(i*i), i)
		want[name] = Call{Kind: Message, Input: uint32(i), Offset: uint64(i * i), Count: uint64(i)}
	}
	slices.Reverse(names)
	_, last := open(t, path, names...)
	wantCalls(t, last.Calls, want)
}

func TestNoInstances(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inflight")
	open(t, path)
	if _, last := open(t, path, "a"); last.Clean || len(last.Calls) != 0 {
		t.Errorf("%+v", last)
	}
}

func TestSlotsShareNoLine(t *testing.T) {
	t.Parallel()
	f, _ := open(t, filepath.Join(t.TempDir(), "inflight"), "a", "b")
	a, b := uintptr(unsafe.Pointer(f.Slot("a").row.Load())), uintptr(unsafe.Pointer(f.Slot("b").row.Load()))
	if size := unsafe.Sizeof(row{}); a/64 != (a+size-1)/64 || b/64 != (b+size-1)/64 || a/64 == b/64 {
		t.Errorf("slots at %#x and %#x of %d bytes", a, b, size)
	}
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inflight")
	for _, names := range [][]string{{""}, {"a", "a"}, {strings.Repeat("a", maxName+1)}, make([]string, maxInstances+1)} {
		if _, _, err := Open(path, names); err == nil {
			t.Errorf("%.20q are accepted", names[0])
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was made nevertheless:", err)
	}
	f, _ := open(t, path, "a")
	defer func() {
		if recover() == nil {
			t.Error("a slot for an unknown name")
		}
	}()
	f.Slot("b")
}

func TestEnterAllocatesNothing(t *testing.T) {
	f, _ := open(t, filepath.Join(t.TempDir(), "inflight"), "a")
	s := f.Slot("a")
	if n := testing.AllocsPerRun(1000, func() { s.Enter(Message, 0, 1, 1); s.Leave() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEnterLeave(b *testing.B) {
	f, _, err := Open(filepath.Join(b.TempDir(), "inflight"), []string{"a"})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	s := f.Slot("a")
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		s.Enter(Message, 1, i, 1)
		s.Leave()
	}
}

// BenchmarkEnterLeaveParallel shows that slots are in nobody's way.
func BenchmarkEnterLeaveParallel(b *testing.B) {
	names := make([]string, 64)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	f, _, err := Open(filepath.Join(b.TempDir(), "inflight"), names)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	free := make(chan *Slot, len(names))
	for _, name := range names {
		free <- f.Slot(name)
	}
	b.RunParallel(func(pb *testing.PB) {
		s := <-free
		for i := uint64(0); pb.Next(); i++ {
			s.Enter(Message, 1, i, 1)
			s.Leave()
		}
	})
}
