package inflight

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"penstock/internal/format"
)

// leftOpen returns the bytes of a file with a call under way.
func leftOpen(t *testing.T) (path string, data []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "inflight")
	f, _ := open(t, path, "a", "b")
	f.Slot("a").Enter(Message, 1, 2, 3)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".put", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".put", path); err != nil { // the mapped file stays as it is
		t.Fatal(err)
	}
}

func TestUnreadableFilesAreRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	path, good := leftOpen(t)
	garbage := make([]byte, 9000)
	_, _ = rand.Read(garbage)
	changed := func(at int, b byte) []byte {
		data := bytes.Clone(good)
		data[at] ^= b
		return data
	}
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"garbage":       {garbage, "begin like an in-flight file"},
		"empty":         {nil, "begin like an in-flight file"},
		"zeros":         {make([]byte, len(good)), "begin like an in-flight file"},
		"version":       {changed(8, 1), "head is damaged"},
		"cut in head":   {good[:50], "cut off after 50 bytes"},
		"cut in slots":  {good[:len(good)-1], "bytes instead of"},
		"longer":        {append(bytes.Clone(good), 0), "bytes instead of"},
		"count":         {changed(15, 0x80), "head is damaged"},
		"names size":    {changed(19, 0x80), "head is damaged"},
		"generation":    {changed(24, 1), "head is damaged"},
		"boot":          {changed(32, 1), "head is damaged"},
		"rest of head":  {changed(63, 1), "head is damaged"},
		"name":          {changed(namesAt+1, 1), "head is damaged"},
		"name's length": {changed(namesAt, 1), "head is damaged"},
	} {
		put(t, path, c.data)
		_, _, err := Open(path, []string{"a"})
		if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, c.data) {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
	}
	if err := os.Truncate(path, maxSize+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "too large") {
		t.Error("huge:", err)
	}
}

// A slot in which any bit differs is ignored, and the others are not.
func TestDamagedSlotsAreIgnored(t *testing.T) {
	t.Parallel()
	path, good := leftOpen(t)
	a := slotsAt(4)
	for bit := range 8 * words * 8 {
		data := bytes.Clone(good)
		data[a+bit/8] ^= 1 << (bit % 8)
		put(t, path, data)
		if calls := read(t, path).Calls; len(calls) != 0 {
			t.Fatalf("bit %d: %v", bit, calls)
		}
	}
	for range 2000 {
		data := bytes.Clone(good)
		_, _ = rand.Read(data[a+slotSize:])
		put(t, path, data)
		wantCalls(t, read(t, path).Calls, map[string]Call{"a": {Kind: Message, Input: 1, Offset: 2, Count: 3}})
	}
}

// Enter and Leave may end after any of their stores, made in any order: a mixture of two calls is none.
func TestHalfACallIsNone(t *testing.T) {
	t.Parallel()
	const all = 1<<words - 1
	now := uint64(time.Now().UnixNano())
	for range 20_000 {
		seed, offset := mathrand.Uint64(), mathrand.Uint64N(1<<40)
		before := row{uint64(Message), offset, 1, now}
		after := row{uint64(Batch) | mathrand.Uint64N(4)<<32, offset + 1 + mathrand.Uint64N(300), 2 + mathrand.Uint64N(255), now + mathrand.Uint64N(3)*uint64(Tick)}
		after[wordSum] = checksum(seed, after[0], after[1], after[2], after[3])
		for _, mark := range []uint64{leftMark, 0} {
			before[wordSum] = checksum(seed, before[0], before[1], before[2], before[3]) ^ mark
			for stored := range all {
				mixed := before
				for i := range words {
					if stored>>i&1 == 1 {
						mixed[i] = after[i]
					}
				}
				call, left, found := decodeSlot(unsafe.Slice((*byte)(unsafe.Pointer(&mixed)), unsafe.Sizeof(mixed)), seed)
				if found && (mixed != before && mixed != after || left != (mixed == before && mark == leftMark)) {
					t.Fatalf("stores %05b of %v over %v are believed to be %v", stored, after, before, call)
				}
			}
		}
	}
}

// A call in the wrong place, or of an earlier opening, is none.
func TestCallsOfOthersAreIgnored(t *testing.T) {
	t.Parallel()
	path, good := leftOpen(t)
	a := slotsAt(4)
	data := bytes.Clone(good)
	copy(data[a+slotSize:], good[a:a+slotSize])
	clear(data[a : a+slotSize])
	put(t, path, data)
	if calls := read(t, path).Calls; len(calls) != 0 {
		t.Errorf("in the wrong place: %v", calls)
	}
	open(t, path, "a", "b")
	next, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(next[a:], good[a:])
	put(t, path, next)
	if calls := read(t, path).Calls; len(calls) != 0 {
		t.Errorf("of an earlier opening: %v", calls)
	}
}

func TestAStateThatIsNoneIsNotClean(t *testing.T) {
	t.Parallel()
	path, data := leftOpen(t)
	data[stateAt] = 1
	put(t, path, data)
	if last := read(t, path); last.Clean || len(last.Calls) != 1 {
		t.Errorf("%+v", last)
	}
}

func TestAnotherBootIsNoticed(t *testing.T) {
	t.Parallel()
	if bootHash() == 0 {
		t.Skip("the system has no name for its boot")
	}
	path, data := leftOpen(t)
	h, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if read(t, path).OtherBoot {
		t.Error("the same boot is another one")
	}
	for _, c := range []struct {
		boot uint64
		want bool
	}{{bootHash() + 1, true}, {0, false}} {
		h.boot = c.boot
		again := h.encode()
		copy(again[h.slotsAt():], data[h.slotsAt():])
		put(t, path, again)
		if last := read(t, path); last.OtherBoot != c.want || len(last.Calls) != 1 {
			t.Errorf("boot %#x: %+v", binary.BigEndian.Uint64(data[32:]), last)
		}
	}
}

// What cannot be replaced is not lost.
func TestWhereNoFileCanBeMade(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none", "inflight")
	if _, _, err := Open(missing, []string{"a"}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "create the in-flight file") {
		t.Error("no directory:", err)
	}
	if _, _, err := Open(t.TempDir(), []string{"a"}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Error("a directory:", err)
	}
	path, _ := leftOpen(t)
	if err := os.MkdirAll(filepath.Join(path+".new", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(path, []string{"a"}); err == nil {
		t.Error("opened without a new file")
	}
	if calls := read(t, path).Calls; len(calls) != 1 {
		t.Errorf("a failed Open lost the calls: %v", calls)
	}
}

func FuzzDecode(f *testing.F) {
	h := &head{generation: 1, boot: 2, instances: []string{"a", "worker.0"}}
	f.Add(h.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := decode(data); err == nil && len(data) != h.size() {
			t.Errorf("%d bytes for a file of %d", len(data), h.size())
		}
	})
}

func TestAFileOfANewerVersionIsNotCalledUnreadable(t *testing.T) {
	t.Parallel()
	path, data := leftOpen(t)
	binary.LittleEndian.PutUint32(data[8:], version+1)
	put(t, path, data)
	_, _, err := Open(path, []string{"a"})
	if !errors.Is(err, format.ErrNewer) || errors.Is(err, ErrUnreadable) || strings.Contains(err.Error(), "remove it") {
		t.Error(err)
	}
}
