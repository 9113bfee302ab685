package stages

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"os"
	"slices"
	"strings"
)

// listMark is what the place knows of the list of files. It has the same size
// for any number of files, but for Names and Each: those are there while they
// are small, and then a change can be named.
type listMark struct {
	Count  int    `json:"count,omitempty"` // files
	Done   int    `json:"done,omitempty"`  // of them, before the place
	All    uint64 `json:"all,omitempty"`   // checksum of all names
	Before uint64 `json:"before,omitempty"`
	Stats  uint64 `json:"stats,omitempty"` // checksum of the sizes and times of those before
	Names  []byte `json:"names,omitempty"` // all names, see packNames
	Each   []byte `json:"each,omitempty"`  // of those before, statBytes each
}

// Bounds of Names and Each: with them a state stays below 4 KiB.
const (
	namesMost = 1280
	eachMost  = 512
	statBytes = 4
)

// newListMark notes a list of which nothing is read.
func newListMark(files []string) listMark {
	m := listMark{Count: len(files), Names: packNames(files)}
	for _, name := range files {
		m.All = addName(m.All, name)
	}
	return m
}

func addName(sum uint64, name string) uint64 {
	return crc64.Update(sum, sums, append([]byte(name), 0))
}

// pass notes that a file was read to its end, and what it was then.
func (m *listMark) pass(name string, size, modified int64) {
	stat := statOf(size, modified)
	m.Done++
	m.Before = addName(m.Before, name)
	m.Stats = crc64.Update(m.Stats, sums, stat)
	if len(m.Names) > 0 && len(m.Each) == (m.Done-1)*statBytes && len(m.Each) < eachMost {
		m.Each = append(m.Each[:len(m.Each):len(m.Each)], shortStat(stat)...)
	}
}

// passFile notes a file that was read by an earlier version, or is left out.
func (m *listMark) passFile(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return unreadable("look at", err)
	}
	m.pass(name, info.Size(), info.ModTime().UnixNano())
	return nil
}

func statOf(size, modified int64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(size)), uint64(modified))
}

func shortStat(stat []byte) []byte {
	return binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(stat))
}

// changes names what is not as it was: in the list, and of the files before the
// place, which is in the file of this name.
func (m *listMark) changes(files []string, at string) ([]string, error) {
	now := newListMark(files)
	if now.Count != m.Count || now.All != m.All {
		return m.listChanges(files, at), nil
	}
	var changed []string
	for i, name := range files[:m.Done] {
		info, err := os.Stat(name)
		if err != nil {
			return nil, unreadable("look at", err)
		}
		size, modified := info.Size(), info.ModTime().UnixNano()
		now.pass(name, size, modified)
		if from := i * statBytes; from+statBytes <= len(m.Each) && !bytes.Equal(shortStat(statOf(size, modified)), m.Each[from:from+statBytes]) {
			changed = append(changed, name+" was written to after it was read")
		}
	}
	if now.Stats != m.Stats && len(changed) == 0 {
		changed = []string{fmt.Sprintf("one or more of the %d files before %s were written to after they were read", m.Done, at)}
	}
	return changed, nil
}

func (m *listMark) listChanges(files []string, at string) []string {
	if old := unpackNames(m.Names); len(old) == m.Count {
		return differing(old, files)
	}
	place, _ := slices.BinarySearch(files, at)
	before := uint64(0)
	for _, name := range files[:place] {
		before = addName(before, name)
	}
	text := fmt.Sprintf("the list of files from %s on changed", at)
	if before != m.Before {
		text = fmt.Sprintf("the list of files before %s changed: there were %d and are %d", at, m.Done, place)
	}
	return []string{fmt.Sprintf("%s; of all files there were %d and are %d", text, m.Count, len(files))}
}

// differing compares two sorted lists.
func differing(old, now []string) (changes []string) {
	for _, name := range old {
		if _, found := slices.BinarySearch(now, name); !found {
			changes = append(changes, name+" is gone")
		}
	}
	for _, name := range now {
		if _, found := slices.BinarySearch(old, name); !found {
			changes = append(changes, name+" is new")
		}
	}
	return changes
}

// few joins the first few of them.
func few(changes []string) string {
	const most = 5
	if more := len(changes) - most; more > 0 {
		return strings.Join(changes[:most], ", ") + fmt.Sprintf(", and %d more", more)
	}
	return strings.Join(changes, ", ")
}

// packNames writes sorted names, each as how many bytes it shares with the one
// before, and the rest. It returns nil when they do not fit.
func packNames(names []string) []byte {
	var packed []byte
	last := ""
	for _, name := range names {
		shared := 0
		for shared < min(len(last), len(name)) && last[shared] == name[shared] {
			shared++
		}
		packed = binary.AppendUvarint(packed, uint64(shared))
		packed = binary.AppendUvarint(packed, uint64(len(name)-shared))
		packed = append(packed, name[shared:]...)
		if len(packed) > namesMost {
			return nil
		}
		last = name
	}
	return packed
}

// unpackNames is the inverse of packNames.
func unpackNames(packed []byte) (names []string) {
	last := ""
	for len(packed) > 0 {
		shared, n := binary.Uvarint(packed)
		if n <= 0 || shared > uint64(len(last)) {
			return nil
		}
		rest, k := binary.Uvarint(packed[n:])
		if k <= 0 || rest > uint64(len(packed)-n-k) {
			return nil
		}
		end := n + k + int(rest)
		last = last[:shared] + string(packed[n+k:end])
		names, packed = append(names, last), packed[end:]
	}
	return names
}
