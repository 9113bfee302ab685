package values

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"math"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"penstock/engine/internal/cborhead"
)

// Major types of RFC 8949, and the tags that are written.
const (
	majorUint   = 0x00
	majorNegInt = 0x20
	majorBytes  = 0x40
	majorText   = 0x60
	majorArray  = 0x80
	majorMap    = 0xa0
	majorTag    = 0xc0

	cborFalse   = 0xf4
	cborTrue    = 0xf5
	cborNull    = 0xf6
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb

	tagTime = 0
	tagJSON = 262 // bytes that hold JSON
)

// Mark is what CBOR begins with here: the tag "this is CBOR" (55799). No JSON
// begins so.
const Mark = "\xd9\xd9\xf7"

// writer writes a value as CBOR: fields in the order of the struct, maps in the
// order of their keys.
type writer struct {
	out   []byte
	depth int
}

// AppendCBOR appends a value, to which ptr points.
func (t *Type) AppendCBOR(dst []byte, ptr reflect.Value) ([]byte, error) {
	w := writer{out: append(dst, Mark...)}
	if err := w.value(t.plan, ptr.Elem()); err != nil {
		return dst, err
	}
	return w.out, nil
}

func (w *writer) head(major byte, n uint64) { w.out = cborhead.Append(w.out, major, n) }

func (w *writer) int(n int64) {
	if n < 0 {
		w.head(majorNegInt, uint64(^n))
		return
	}
	w.head(majorUint, uint64(n))
}

func (w *writer) bool(b bool) {
	if b {
		w.out = append(w.out, cborTrue)
		return
	}
	w.out = append(w.out, cborFalse)
}

func (w *writer) text(s string) {
	w.head(majorText, uint64(len(s)))
	w.out = append(w.out, s...)
}

func (w *writer) bytes(b []byte) {
	w.head(majorBytes, uint64(len(b)))
	w.out = append(w.out, b...)
}

func (w *writer) float64(f float64) {
	w.out = binary.BigEndian.AppendUint64(append(w.out, cborFloat64), math.Float64bits(f))
}

func (w *writer) null() { w.out = append(w.out, cborNull) }

func (w *writer) time(t time.Time) *Error {
	if reason := unkeptTime(t); reason != "" {
		return fail(timeType, "%s", reason)
	}
	w.head(majorTag, tagTime)
	var text [len(time.RFC3339Nano) + 8]byte
	out := t.AppendFormat(text[:0], time.RFC3339Nano)
	w.head(majorText, uint64(len(out)))
	w.out = append(w.out, out...)
	return nil
}

// unkeptTime says why RFC 3339 does not hold a time.
func unkeptTime(t time.Time) string {
	if year := t.Year(); year < 0 || year > 9999 {
		return "its year is not within 0 and 9999"
	}
	switch _, offset := t.Zone(); {
	case offset <= -24*3600 || offset >= 24*3600:
		return "its time zone is a day or more away from UTC: use its UTC()"
	case offset%60 != 0:
		return "its time zone differs from UTC by a fraction of a minute: use its UTC()"
	}
	return ""
}

// enter is called for what may hold itself.
func (w *writer) enter(t reflect.Type) *Error {
	if w.depth++; w.depth > maxDepth {
		return tooDeep(t)
	}
	return nil
}

func (w *writer) value(p *plan, v reflect.Value) *Error {
	switch p.kind {
	case boolKind:
		w.bool(v.Bool())
	case intKind:
		w.int(v.Int())
	case uintKind:
		w.head(majorUint, v.Uint())
	case float32Kind:
		w.out = binary.BigEndian.AppendUint32(append(w.out, cborFloat32), math.Float32bits(float32(v.Float())))
	case float64Kind:
		w.float64(v.Float())
	case stringKind:
		w.text(v.String())
	case bytesKind:
		if v.IsNil() {
			w.null()
			return nil
		}
		w.bytes(v.Bytes())
	case timeKind:
		return w.time(timeOf(v))
	case anyKind:
		return w.any(v)
	case rawKind, cborMethod, jsonMethod, textMethod, binaryMethod:
		return w.own(p, v)
	default:
		if err := w.enter(p.typ); err != nil {
			return err
		}
		err := w.compound(p, v)
		w.depth--
		return err
	}
	return nil
}

func (w *writer) compound(p *plan, v reflect.Value) *Error {
	switch p.kind {
	case pointerKind:
		return w.pointer(p, v)
	case structKind:
		return w.fields(p, v)
	case mapKind:
		return w.entries(p, v)
	case byteArrayKind:
		w.head(majorBytes, uint64(v.Len()))
		for i := range v.Len() {
			w.out = append(w.out, byte(v.Index(i).Uint()))
		}
		return nil
	case sliceKind:
		if v.IsNil() {
			w.null()
			return nil
		}
	}
	w.head(majorArray, uint64(v.Len()))
	for i := range v.Len() {
		if err := w.value(p.elem, v.Index(i)); err != nil {
			return err.inElement(i)
		}
	}
	return nil
}

func (w *writer) pointer(p *plan, v reflect.Value) *Error {
	if v.IsNil() {
		w.null()
		return nil
	}
	w.depth-- // the value counts
	start := len(w.out)
	err := w.value(p.elem, v.Elem())
	w.depth++
	if err == nil && len(w.out) == start+1 && w.out[start]&^1 == cborNull { // or undefined
		return fail(p.typ, "it points to a nil %v, and would come back nil itself", p.elem.typ)
	}
	return err
}

func (w *writer) fields(p *plan, v reflect.Value) *Error {
	n := len(p.fields)
	if p.isVaried {
		n = 0
		for i := range p.fields {
			if f, ok := p.fields[i].of(v); ok && !p.fields[i].isLeftOut(f) {
				n++
			}
		}
	}
	w.head(majorMap, uint64(n))
	for i := range p.fields {
		field := &p.fields[i]
		f, ok := field.of(v)
		if !ok || p.isVaried && field.isLeftOut(f) {
			continue
		}
		w.text(field.key)
		if err := w.value(field.plan, f); err != nil {
			return err.inField(field.name)
		}
	}
	return nil
}

// own has a value write itself.
func (w *writer) own(p *plan, v reflect.Value) *Error {
	var data []byte
	var err error
	switch method := methods(v).(type) {
	case json.RawMessage:
		return w.raw(method)
	case *json.RawMessage:
		return w.raw(*method)
	default:
		switch p.kind {
		case cborMethod:
			if data, err = method.(cbor.Marshaler).MarshalCBOR(); err == nil {
				err = cbor.Wellformed(data)
			}
			w.out = append(w.out, data...)
		case jsonMethod:
			if data, err = method.(json.Marshaler).MarshalJSON(); err == nil && !json.Valid(data) {
				return fail(p.typ, "its MarshalJSON gives no JSON")
			}
			w.head(majorTag, tagJSON)
			w.bytes(data)
		case textMethod:
			data, err = method.(encoding.TextMarshaler).MarshalText()
			w.head(majorText, uint64(len(data)))
			w.out = append(w.out, data...)
		case binaryMethod:
			data, err = method.(encoding.BinaryMarshaler).MarshalBinary()
			w.bytes(data)
		}
	}
	if err != nil {
		return &Error{Type: p.typ, Err: err}
	}
	return nil
}

// raw keeps JSON to the byte.
func (w *writer) raw(data json.RawMessage) *Error {
	if data != nil && len(data) == 0 {
		return fail(rawType, "it is empty, and would come back nil")
	}
	w.head(majorTag, tagJSON)
	w.bytes(data)
	return nil
}

// methods is a value with all its methods, also those of the pointer to it.
func methods(v reflect.Value) any {
	if v.CanAddr() {
		return v.Addr().Interface()
	}
	return v.Interface()
}

func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}
