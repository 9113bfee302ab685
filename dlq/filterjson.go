package dlq

import "encoding/json"

// plainFilter is a Filter whose JSON form is that of its tags alone.
type plainFilter Filter

// filterJSON adds what a string of JSON cannot hold: any bytes.
type filterJSON struct {
	*plainFilter
	Key   []byte `json:"key,omitempty"`
	Error []byte `json:"error,omitempty"`
}

var (
	_ json.Marshaler   = Filter{}
	_ json.Unmarshaler = (*Filter)(nil)
)

// MarshalJSON returns the filter as a JSON object. The zero filter is {}.
func (f Filter) MarshalJSON() ([]byte, error) {
	return json.Marshal(filterJSON{(*plainFilter)(&f), []byte(f.Key), []byte(f.Error)})
}

// UnmarshalJSON reads what MarshalJSON wrote. It passes over names that it does not know.
func (f *Filter) UnmarshalJSON(data []byte) error {
	var read Filter
	in := filterJSON{plainFilter: (*plainFilter)(&read)}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	read.Key, read.Error = string(in.Key), string(in.Error)
	*f = read
	return nil
}
