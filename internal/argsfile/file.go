package argsfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"penstock/internal/format"
)

// Name is that of the file. Format 1 was the list alone.
const Name = "arguments.json"

// sumField begins the last field of the file, in every format: see [format.Sum].
var sumField = []byte(`,"sum":`)

// Encode makes the file of a list in JSON.
func Encode(list []byte) []byte {
	body := fmt.Appendf(nil, `{"format":%d,"arguments":%s`, format.Arguments, list)
	return fmt.Appendf(body, "%s%q}\n", sumField, format.Sum(body))
}

// Decode returns the list. An error says that the file is damaged, unless it wraps [format.ErrNewer].
func Decode(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte("[")) {
		if !json.Valid(data) {
			return nil, errors.New("it is no list")
		}
		return data, nil
	}
	var file struct {
		Format    uint64
		Arguments json.RawMessage
		Sum       string
	}
	end := bytes.LastIndex(data, sumField)
	if err := json.Unmarshal(data, &file); err != nil || end < 0 || file.Sum != format.Sum(data[:end]) {
		return nil, errors.New("its sum is wrong")
	}
	if file.Format > format.Arguments {
		return nil, format.Newer("the file of the arguments", file.Format, format.Arguments)
	}
	return file.Arguments, nil
}
