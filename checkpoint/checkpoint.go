package checkpoint

import (
	"encoding/binary"
	"fmt"
)

// Checkpoint is an instance as it was at a commit.
type Checkpoint struct {
	Commit   uint64 // number of the commit
	Sequence uint64 // stream sequence of the commit's frame
	Record   []byte // whatever the caller keeps beside these; opaque here
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
