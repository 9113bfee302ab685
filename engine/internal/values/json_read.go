package values

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// DecodeJSON reads JSON into the zero value to which ptr points. A name that
// comes twice, and text that is not UTF-8, are refused; a field that the type
// does not have is if unknown is.
func (t *Type) DecodeJSON(data []byte, ptr any, refuseUnknown bool) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if refuseUnknown {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(ptr); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("json: unexpected data after the value")
	}
	if err := checkJSON(data); err != nil {
		return err
	}
	if t.isOpen {
		return restoreInto(t.plan, ptr, number)
	}
	return nil
}
