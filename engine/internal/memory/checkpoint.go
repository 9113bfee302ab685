package memory

import (
	"encoding/binary"

	"penstock/checkpoint"
)

func encode(c checkpoint.Checkpoint) []byte {
	data := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, c.Commit), c.Sequence)
	return append(data, c.Record...)
}

func decode(data []byte) checkpoint.Checkpoint {
	return checkpoint.Checkpoint{Commit: binary.LittleEndian.Uint64(data), Sequence: binary.LittleEndian.Uint64(data[8:]), Record: data[16:]}
}
