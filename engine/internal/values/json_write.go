package values

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends a value, to which ptr points, as encoding/json writes it.
func (t *Type) AppendJSON(dst []byte, ptr reflect.Value) ([]byte, error) {
	if !t.isFixed {
		c := checker{}
		if err := c.value(t.plan, ptr.Elem()); err != nil {
			return dst, err
		}
	}
	data, err := json.Marshal(ptr.Interface()) // by the pointer, or methods of pointers would not be called
	if err != nil {
		return dst, whole(t, err)
	}
	if t.isOwn { // its methods may write what is not read as it is written
		if err := checkJSON(data); err != nil {
			return dst, whole(t, err)
		}
	}
	return append(dst, data...), nil
}

// whole is an error that names no field.
func whole(t *Type, err error) *Error {
	var own *json.MarshalerError
	if errors.As(err, &own) {
		return &Error{Type: own.Type, Err: own.Err}
	}
	return &Error{Type: t.plan.typ, Err: err}
}

// checkJSON refuses texts that are not UTF-8, and names that come twice.
func checkJSON(data []byte) error {
	_, err := jsontext.NewDecoder(bytes.NewReader(data)).ReadValue()
	return err
}

// checker finds what encoding/json would change without a word, or would not
// read as it wrote it.
type checker struct{ depth int }

func (c *checker) enter(t reflect.Type) *Error {
	if c.depth++; c.depth > maxDepth {
		return tooDeep(t)
	}
	return nil
}

func (c *checker) value(p *plan, v reflect.Value) *Error {
	switch p.kind {
	case boolKind, intKind, uintKind, bytesKind, byteArrayKind, rawKind, jsonMethod:
		return nil
	case stringKind:
		if p.typ == numberType && v.Len() == 0 {
			return fail(p.typ, "it is empty, and would come back as 0")
		}
		return checkText(p.typ, v.String())
	case float32Kind, float64Kind:
		return checkFloat(p.typ, v.Float())
	case timeKind:
		if reason := unkeptTime(timeOf(v)); reason != "" {
			return fail(p.typ, "%s", reason)
		}
		return nil
	case textMethod:
		text, err := methods(v).(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return &Error{Type: p.typ, Err: err}
		}
		return checkText(p.typ, string(text))
	case anyKind:
		if v.IsNil() {
			return nil
		}
		return c.dynamic(v.Elem().Interface())
	}
	if err := c.enter(p.typ); err != nil {
		return err
	}
	err := c.compound(p, v)
	c.depth--
	return err
}

func (c *checker) compound(p *plan, v reflect.Value) *Error {
	switch p.kind {
	case pointerKind:
		return c.pointer(p, v)
	case structKind:
		for i := range p.fields {
			field := &p.fields[i]
			f, ok := field.of(v)
			if !ok || p.isVaried && field.isLeftOut(f) {
				continue
			}
			if err := c.value(field.plan, f); err != nil {
				return err.inField(field.name)
			}
		}
		return nil
	case mapKind:
		return c.entries(p, v)
	}
	for i := range v.Len() {
		if err := c.value(p.elem, v.Index(i)); err != nil {
			return err.inElement(i)
		}
	}
	return nil
}

func (c *checker) pointer(p *plan, v reflect.Value) *Error {
	if v.IsNil() {
		return nil
	}
	c.depth-- // the value counts
	defer func() { c.depth++ }()
	if isNull(p.elem, v.Elem()) {
		return fail(p.typ, "it points to a nil %v, and would come back nil itself", p.elem.typ)
	}
	return c.value(p.elem, v.Elem())
}

// isNull says whether a value is written as null.
func isNull(p *plan, v reflect.Value) bool {
	switch p.kind {
	case sliceKind, bytesKind, mapKind, anyKind:
		return v.IsNil()
	case rawKind, jsonMethod:
		text, err := methods(v).(json.Marshaler).MarshalJSON()
		return err == nil && string(bytes.TrimSpace(text)) == "null"
	}
	return false
}

func (c *checker) entries(p *plan, v reflect.Value) *Error {
	var written map[string]bool // of keys that write themselves
	key, value := reflect.New(p.key.typ).Elem(), reflect.New(p.elem.typ).Elem()
	for it := v.MapRange(); it.Next(); {
		key.SetIterKey(it)
		value.SetIterValue(it)
		if p.key.kind != stringKind && p.key.kind != intKind && p.key.kind != uintKind {
			text, err := methods(key).(encoding.TextMarshaler).MarshalText()
			if err != nil {
				return &Error{Type: p.key.typ, Err: err}
			}
			if written[string(text)] {
				return fail(p.typ, "two of its keys have the same encoding: %q", text)
			}
			if written == nil {
				written = map[string]bool{}
			}
			written[string(text)] = true
		}
		if err := c.value(p.key, key); err != nil {
			return err.inKey(key)
		}
		if err := c.value(p.elem, value); err != nil {
			return err.inKey(key)
		}
	}
	return nil
}

func checkText(t reflect.Type, s string) *Error {
	if !utf8.ValidString(s) {
		return fail(t, "it is not UTF-8, and JSON would change it")
	}
	return nil
}

func checkFloat(t reflect.Type, f float64) *Error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fail(t, "JSON has no %v", f)
	}
	return nil
}

// dynamic checks what an interface holds: see number for what its numbers come
// back as.
func (c *checker) dynamic(value any) *Error {
	t := reflect.TypeOf(value)
	switch x := value.(type) {
	case nil, bool:
		return nil
	case string:
		return checkText(t, x)
	case float32:
		return checkNumber(value, float64(x))
	case float64:
		return checkNumber(value, x)
	case []any:
		if x == nil {
			return nilInAny(value)
		}
		return c.list(x)
	case map[string]any:
		if x == nil {
			return nilInAny(value)
		}
		return c.object(x)
	case []byte, time.Time, *big.Int:
		return fail(t, "a %T in an interface would come back from JSON as something else: give the field that type", value)
	}
	if _, ok := integer(value); !ok {
		return unkeptInAny(value)
	}
	return nil
}

// checkNumber refuses a float whose digits would be read as another number.
func checkNumber(value any, f float64) *Error {
	t := reflect.TypeOf(value)
	if err := checkFloat(t, f); err != nil {
		return err
	}
	text := jsonNumber(value)
	if back, err := number(json.Number(text)); err != nil || back != f {
		return fail(t, "the %T %s in an interface would come back as another number: give the field that type", value, text)
	}
	return nil
}

func (c *checker) list(list []any) *Error {
	if err := c.enter(reflect.TypeOf(list)); err != nil {
		return err
	}
	for i := range list {
		if err := c.dynamic(list[i]); err != nil {
			return err.inElement(i)
		}
	}
	c.depth--
	return nil
}

func (c *checker) object(object map[string]any) *Error {
	if err := c.enter(reflect.TypeOf(object)); err != nil {
		return err
	}
	for key, value := range object {
		if err := checkText(reflect.TypeOf(key), key); err != nil {
			return err.inKey(reflect.ValueOf(key))
		}
		if err := c.dynamic(value); err != nil {
			return err.inKey(reflect.ValueOf(key))
		}
	}
	c.depth--
	return nil
}
