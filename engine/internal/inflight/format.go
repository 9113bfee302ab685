package inflight

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"penstock/internal/format"
)

const (
	magic   = "PSTKINFL"
	version = format.InFlight

	stateAt = 64
	namesAt = 128
	page    = 4096

	// Two lines of 64 bytes, since processors fetch lines in pairs, and some have lines of 128.
	slotSize = 128

	maxName      = 200
	maxInstances = 1 << 16
)

// ErrUnreadable says that a file is none of this package's, or is damaged.
var ErrUnreadable = errors.New("unreadable in-flight file")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is what a file says of itself.
type head struct {
	generation uint64
	boot       uint64
	instances  []string
}

// slotsAt is where the slots begin after this many bytes of names.
func slotsAt(names int) int { return (namesAt + names + page - 1) / page * page }

func (h *head) namesSize() int {
	n := 0
	for _, name := range h.instances {
		n += 1 + len(name)
	}
	return n
}

func (h *head) slotsAt() int { return slotsAt(h.namesSize()) }
func (h *head) size() int    { return h.slotsAt() + len(h.instances)*slotSize }

// seed makes the checksums of one slot in one opening of the file different from all others.
func (h *head) seed(index int) uint64 { return h.generation + uint64(index)*0x9e3779b97f4a7c15 }

// cleanMark is the state of a file that was closed.
func (h *head) cleanMark() uint64 { return h.generation ^ 0x6f726465726c7921 | 1 }

// encode returns the whole file, in use and with no call under way.
func (h *head) encode() []byte {
	data := make([]byte, h.size())
	copy(data, magic)
	binary.LittleEndian.PutUint32(data[8:], version)
	binary.LittleEndian.PutUint32(data[12:], uint32(len(h.instances)))
	binary.LittleEndian.PutUint32(data[16:], uint32(h.namesSize()))
	binary.LittleEndian.PutUint64(data[24:], h.generation)
	binary.LittleEndian.PutUint64(data[32:], h.boot)
	names := data[namesAt:namesAt]
	for _, name := range h.instances {
		names = append(names, byte(len(name)))
		names = append(names, name...)
	}
	binary.LittleEndian.PutUint32(data[20:], headSum(data, names))
	return data
}

// headSize is the fixed part that the checksum covers.
const headSize = 64

func headSum(data, names []byte) uint32 {
	sum := crc32.Update(0, castagnoli, data[:20])
	sum = crc32.Update(sum, castagnoli, data[24:headSize])
	return crc32.Update(sum, castagnoli, names)
}

// decode reads the head of a whole file and checks everything but the slots.
func decode(data []byte) (*head, error) {
	if len(data) < 12 || string(data[:8]) != magic {
		return nil, errors.New("it does not begin like an in-flight file")
	}
	switch v := binary.LittleEndian.Uint32(data[8:]); {
	case v > version:
		return nil, format.Newer("it", uint64(v), version)
	case v == 0:
		return nil, errors.New("its head is damaged")
	}
	if len(data) < namesAt {
		return nil, fmt.Errorf("it is cut off after %d bytes", len(data))
	}
	instances, size := binary.LittleEndian.Uint32(data[12:]), binary.LittleEndian.Uint32(data[16:])
	if instances > maxInstances || size > instances*(1+maxName) {
		return nil, errors.New("its head is damaged")
	}
	if want := slotsAt(int(size)) + int(instances)*slotSize; len(data) != want {
		return nil, fmt.Errorf("it has %d bytes instead of %d", len(data), want)
	}
	names := data[namesAt : namesAt+int(size)]
	if headSum(data, names) != binary.LittleEndian.Uint32(data[20:]) {
		return nil, errors.New("its head is damaged")
	}
	h := &head{generation: binary.LittleEndian.Uint64(data[24:]), boot: binary.LittleEndian.Uint64(data[32:])}
	for range instances {
		if len(names) == 0 || len(names) < 1+int(names[0]) {
			return nil, errors.New("its names are damaged")
		}
		n := 1 + int(names[0])
		h.instances = append(h.instances, string(names[1:n]))
		names = names[n:]
	}
	return h, nil
}

// The words of a slot.
const (
	wordWhat   = iota // kind, and input << 32
	wordOffset        // of the first message
	wordCount         // of messages
	wordSince         // Unix time in nanoseconds
	wordSum           // 0: nothing is under way
	words
)

// checksum of the words of a slot, never 0. It is what makes the order of the stores unimportant: until the last of
// them, whichever that is, the words do not fit. All factors are odd, so a change of one word always shows; changes of
// several cancel out by chance only.
func checksum(seed, what, offset, count, since uint64) uint64 {
	sum := seed + what*0xa0761d6478bd642f + offset*0xe7037ed1a0b428db + count*0x8ebc6af09c88c6e3 + since*0x589965cc75374cc3
	return sum | 1
}
