package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"penstock/internal/format"
)

// The first byte of a stored value.
const (
	formatWhole  byte = 1            // the content follows
	formatPieces byte = format.Value // a head follows, the content is in pieces
)

// envelope is what seal adds: the format byte and the checksum.
const envelope = 1 + crc32.Size

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal wraps a payload for storing under key.
func seal(key []byte, kind byte, payload []byte) []byte {
	b := make([]byte, 0, envelope+len(payload))
	b = append(b, kind)
	b = append(b, payload...)
	return binary.BigEndian.AppendUint32(b, checksum(key, b))
}

// unseal checks a stored value and gives its payload, which aliases raw.
func unseal(key, raw []byte) (kind byte, payload []byte, err error) {
	if len(raw) < envelope {
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
	sum := crc32.Update(0, castagnoli, n[:])
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, body)
}

func encodeCheckpoint(c Checkpoint) []byte {
	b := make([]byte, 0, 16+len(c.Record))
	b = binary.BigEndian.AppendUint64(b, c.Commit)
	b = binary.BigEndian.AppendUint64(b, c.Sequence)
	return append(b, c.Record...)
}

func decodeCheckpoint(b []byte) (Checkpoint, error) {
	if len(b) < 16 {
		return Checkpoint{}, fmt.Errorf("%d bytes are too short for a checkpoint", len(b))
	}
	return Checkpoint{
		Commit:   binary.BigEndian.Uint64(b),
		Sequence: binary.BigEndian.Uint64(b[8:]),
		Record:   b[16:],
	}, nil
}
