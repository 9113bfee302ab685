package entry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"penstock/internal/format"
)

// The first byte of a stored value.
const (
	FormatWhole  byte = 1            // the content follows
	FormatPieces byte = format.Value // a head follows, the content is in pieces
)

// Envelope is what seal adds: the format byte and the checksum.
const Envelope = 1 + crc32.Size

// Castagnoli is the table of all checksums of the store.
var Castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Seal wraps a payload for storing under key.
func Seal(key []byte, kind byte, payload []byte) []byte {
	b := make([]byte, 0, Envelope+len(payload))
	b = append(b, kind)
	b = append(b, payload...)
	return binary.BigEndian.AppendUint32(b, checksum(key, b))
}

// Unseal checks a stored value and gives its payload, which aliases raw.
func Unseal(key, raw []byte) (kind byte, payload []byte, err error) {
	if len(raw) < Envelope {
		return 0, nil, fmt.Errorf("%d bytes are too short for a value", len(raw))
	}
	body, sum := raw[:len(raw)-crc32.Size], raw[len(raw)-crc32.Size:]
	if checksum(key, body) != binary.BigEndian.Uint32(sum) {
		return 0, nil, errors.New("checksum mismatch")
	}
	if body[0] > format.Value {
		return 0, nil, format.Newer("it", uint64(body[0]), format.Value)
	}
	if body[0] == 0 {
		return 0, nil, errors.New("there is no format 0")
	}
	return body[0], body[1:], nil
}

// checksum covers the key too, so a value that turns up under another key is noticed.
// The length keeps bytes from wandering between key and body.
func checksum(key, body []byte) uint32 {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(key)))
	sum := crc32.Update(0, Castagnoli, n[:])
	sum = crc32.Update(sum, Castagnoli, key)
	return crc32.Update(sum, Castagnoli, body)
}
