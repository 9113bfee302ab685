package state

import (
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

func TestKeyTableFindsWhatWasAdded(t *testing.T) {
	t.Parallel()
	const keys = 5000
	table := &keyTable[int]{}
	if table.find("0", hashKey("0")) != nil {
		t.Error("an empty table has a key")
	}
	for n := range keys {
		key := strconv.Itoa(n)
		table.add(key, hashKey(key)).value = n
	}
	first := table.find("0", hashKey("0"))
	for n := range keys {
		key := strconv.Itoa(n)
		if state := table.find(key, hashKey(key)); state == nil || state.key != key || state.value != n {
			t.Fatalf("key %s: %+v", key, state)
		}
	}
	if table.find("-1", hashKey("-1")) != nil || table.count != keys {
		t.Errorf("a key that was not added is there, or %d keys are not %d", table.count, keys)
	}
	if table.add("more", hashKey("more")); table.find("0", hashKey("0")) != first {
		t.Error("a state has moved")
	}
}

// Two keys with one hash are two keys.
func TestKeyTableComparesKeys(t *testing.T) {
	t.Parallel()
	table := &keyTable[int]{}
	table.add("a", 7).value = 1
	table.add("b", 7).value = 2
	if a, b := table.find("a", 7), table.find("b", 7); a.value != 1 || b.value != 2 || table.find("c", 7) != nil {
		t.Errorf("a %+v, b %+v", a, b)
	}
}

func TestKeyTableUsesAStateAgainThatIsGone(t *testing.T) {
	t.Parallel()
	table := &keyTable[string]{}
	state := table.add("key", 1)
	state.value, state.gone = "old", true
	before := table.bytes
	table.weigh(state, 1000)
	if again := table.add("key", 1); again != state || again.gone || again.value != "" || table.count != 1 || table.bytes != before {
		t.Errorf("%+v in a table of %d keys and %d bytes, before %d", again, table.count, table.bytes, before)
	}
}

// A key is often a piece of a message, and must not keep that in memory.
func TestKeyTableCopiesKeys(t *testing.T) {
	t.Parallel()
	message := strings.Repeat("x", 1<<20)
	table := &keyTable[int]{}
	state := table.add(message[10:20], 1)
	from, to := uintptr(unsafe.Pointer(unsafe.StringData(message))), uintptr(unsafe.Pointer(unsafe.StringData(state.key)))
	if to >= from && to < from+1<<20 {
		t.Error("the key is a part of the message")
	}
	if long := strings.Repeat("k", 3*mostBlock); table.add(long, 2).key != long || table.bytes < len(long) {
		t.Errorf("a long key is lost, or not counted: %d bytes", table.bytes)
	}
}
