package engine

import "fmt"

// EncodeError says which part of a value its codec cannot write so that it
// comes back as it was. The codecs that DefaultCodec and JSON return give it;
// find it with errors.As.
type EncodeError struct {
	Codec string // its name: "cbor", "json"
	Field string // such as ".Order.Items[3].Price"; "" for the value itself
	Type  string // Go type of the field
	Err   error  // why
}

func (e *EncodeError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("the value (%s): %v", e.Type, e.Err)
	}
	return fmt.Sprintf("field %s (%s): %v", e.Field, e.Type, e.Err)
}

// Unwrap returns the reason.
func (e *EncodeError) Unwrap() error { return e.Err }
