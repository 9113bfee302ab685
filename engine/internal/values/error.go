package values

import (
	"fmt"
	"reflect"
	"strconv"
)

// Error says which part of a value, or of a type, cannot be kept.
type Error struct {
	Field string // such as ".Items[3].Price"; "" for the whole
	Type  reflect.Type
	Err   error
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Field, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

func fail(t reflect.Type, format string, args ...any) *Error {
	return &Error{Type: t, Err: fmt.Errorf(format, args...)}
}

// maxField is how much of a path is kept, from its beginning.
const maxField = 300

// in says where the part is within what holds it.
func (e *Error) in(segment string) *Error {
	if e == nil {
		return nil
	}
	if e.Field = segment + e.Field; len(e.Field) > maxField {
		e.Field = e.Field[:maxField] + "…"
	}
	return e
}

func (e *Error) inField(name string) *Error { return e.in("." + name) }

func (e *Error) inElement(i int) *Error { return e.in("[" + strconv.Itoa(i) + "]") }

// inKey names an entry of a map.
func (e *Error) inKey(key reflect.Value) *Error {
	const most = 40
	switch key.Kind() {
	case reflect.String:
		text := key.String()
		if len(text) > most {
			text = text[:most]
		}
		return e.in("[" + strconv.Quote(text) + "]")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return e.in("[" + strconv.FormatInt(key.Int(), 10) + "]")
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return e.in("[" + strconv.FormatUint(key.Uint(), 10) + "]")
	}
	return e.in("[" + key.Type().String() + "]")
}
