package values

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
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

// errTooDeep says that a value is nested too deeply, which a value that contains itself is.
var errTooDeep = fmt.Errorf("it is nested deeper than %d: does it contain itself?", maxDepth)

func tooDeep(t reflect.Type) *Error { return &Error{Type: t, Err: errTooDeep} }

// How many bytes of a path are kept, from its beginning.
const (
	maxField     = 300
	maxDeepField = 40 // what follows is most often the same over and over
)

// in says where the part is within what holds it.
func (e *Error) in(segment string) *Error {
	if e == nil {
		return nil
	}
	most := maxField
	if e.Err == errTooDeep {
		most = maxDeepField
	}
	if e.Field = segment + e.Field; len(e.Field) > most {
		e.Field = strings.ToValidUTF8(e.Field[:most], "") + "…"
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
