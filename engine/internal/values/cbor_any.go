package values

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// any writes what an interface holds, if it comes back as it was from the bytes
// alone. Integers come back as int64, or uint64 where that is too small, and
// floats as float64, with the same value.
func (w *writer) any(v reflect.Value) *Error {
	if v.IsNil() {
		w.null()
		return nil
	}
	return w.dynamic(v.Elem().Interface())
}

func (w *writer) dynamic(value any) *Error {
	switch x := value.(type) {
	case nil:
		w.null()
	case string:
		w.text(x)
	case bool:
		w.bool(x)
	case float32:
		w.float64(float64(x))
	case float64:
		w.float64(x)
	case time.Time:
		return w.time(x)
	case []byte:
		if x == nil {
			return nilInAny(value)
		}
		w.bytes(x)
	case []any:
		if x == nil {
			return nilInAny(value)
		}
		return w.list(x)
	case map[string]any:
		if x == nil {
			return nilInAny(value)
		}
		return w.object(x)
	default:
		n, ok := integer(value)
		if !ok {
			return unkeptInAny(value)
		}
		if n.Kind() >= reflect.Uint {
			w.head(majorUint, n.Uint())
			return nil
		}
		w.int(n.Int())
	}
	return nil
}

// integer is a value of one of the predeclared types.
func integer(value any) (reflect.Value, bool) {
	switch value.(type) {
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return reflect.ValueOf(value), true
	}
	return reflect.Value{}, false
}

func nilInAny(value any) *Error {
	return fail(reflect.TypeOf(value), "a nil %T in an interface would come back as nil", value)
}

func unkeptInAny(value any) *Error {
	return fail(reflect.TypeOf(value),
		"a %T in an interface would come back as something else: give the field that type, or use plain values (bool, string, numbers, []byte, time.Time, []any, map[string]any)", value)
}

func (w *writer) list(list []any) *Error {
	if err := w.enter(reflect.TypeOf(list)); err != nil {
		return err
	}
	w.head(majorArray, uint64(len(list)))
	for i := range list {
		if err := w.dynamic(list[i]); err != nil {
			return err.inElement(i)
		}
	}
	w.depth--
	return nil
}

func (w *writer) object(object map[string]any) *Error {
	if err := w.enter(reflect.TypeOf(object)); err != nil {
		return err
	}
	w.head(majorMap, uint64(len(object)))
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, cmp.Compare)
	for _, key := range keys {
		w.text(key)
		if err := w.dynamic(object[key]); err != nil {
			return err.inKey(reflect.ValueOf(key))
		}
	}
	w.depth--
	return nil
}
