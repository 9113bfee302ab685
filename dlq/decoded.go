package dlq

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
)

// decoded is a number or truth value in JSON, by the name of its codec; nil for all else,
// and for what JSON has no number for.
func decoded(codec string, value []byte) json.RawMessage {
	if codec == "bool" && len(value) == 1 && value[0] <= 1 {
		return strconv.AppendBool(nil, value[0] == 1)
	}
	if len(value) != 8 {
		return nil
	}
	word := binary.LittleEndian.Uint64(value)
	switch codec {
	case "uint64":
		return strconv.AppendUint(nil, word, 10)
	case "int64":
		return strconv.AppendInt(nil, int64(word), 10)
	case "float64":
		if f := math.Float64frombits(word); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return strconv.AppendFloat(nil, f, 'g', -1, 64)
		}
	}
	return nil
}
