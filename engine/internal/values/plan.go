package values

import (
	"encoding/json"
	"reflect"
	"sync"
	"time"
)

type kind uint8

const (
	boolKind kind = iota + 1
	intKind
	uintKind
	float32Kind
	float64Kind
	stringKind
	bytesKind     // []byte
	byteArrayKind // [N]byte
	sliceKind
	arrayKind
	mapKind
	structKind
	pointerKind
	anyKind
	timeKind
	rawKind    // json.RawMessage
	cborMethod // it writes itself
	jsonMethod
	textMethod
	binaryMethod
)

// plan says how the values of a type are written.
type plan struct {
	kind      kind
	typ       reflect.Type
	key, elem *plan
	fields    []field
	isVaried  bool // not every field of the struct is always written
	isOpen    bool // an interface is in it
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	rawType    = reflect.TypeFor[json.RawMessage]()
	numberType = reflect.TypeFor[json.Number]()

	cache sync.Map // cacheKey: cached
)

type cacheKey struct {
	t      reflect.Type
	format Format
}

type cached struct {
	typ *Type
	err error
}

// compiler makes the plans of a type and of all that is in it.
type compiler struct {
	format Format
	plans  map[reflect.Type]*plan
}

func compile(t reflect.Type, format Format) (*Type, error) {
	c := compiler{format, map[reflect.Type]*plan{}}
	p, err := c.plan(t)
	if err != nil {
		return nil, err
	}
	for _, q := range c.plans {
		q.isOpen = q.reaches(map[*plan]bool{}, anyKind)
		if format == JSON && q.kind == mapKind {
			if err := c.unaddressable(q.elem); err != nil {
				return nil, err
			}
		}
	}
	return &Type{
		plan:    p,
		format:  format,
		isOpen:  p.isOpen,
		isOwn:   p.reaches(map[*plan]bool{}, jsonMethod, rawKind),
		isFixed: !p.reaches(map[*plan]bool{}, float32Kind, float64Kind, stringKind, mapKind, pointerKind, anyKind, timeKind, textMethod, sliceKind),
	}, nil
}

// reaches says whether a value may hold one of some kinds.
func (p *plan) reaches(seen map[*plan]bool, kinds ...kind) bool {
	if p == nil || seen[p] {
		return false
	}
	seen[p] = true
	for _, k := range kinds {
		if p.kind == k {
			return true
		}
	}
	for i := range p.fields {
		if p.fields[i].plan.reaches(seen, kinds...) {
			return true
		}
	}
	return p.key.reaches(seen, kinds...) || p.elem.reaches(seen, kinds...)
}

func (c *compiler) plan(t reflect.Type) (*plan, *Error) {
	if p := c.plans[t]; p != nil {
		return p, nil
	}
	p := &plan{typ: t}
	c.plans[t] = p
	switch t {
	case timeType:
		p.kind = timeKind
		return p, nil
	case rawType:
		p.kind = rawKind
		return p, nil
	}
	own, err := c.method(t)
	if err != nil {
		return nil, err
	}
	if p.kind = own; own != 0 {
		return p, nil
	}
	if p.kind = scalars[t.Kind()]; p.kind != 0 {
		return p, nil
	}
	return p, c.compound(p)
}

var scalars = map[reflect.Kind]kind{
	reflect.Bool: boolKind,
	reflect.Int:  intKind, reflect.Int8: intKind, reflect.Int16: intKind, reflect.Int32: intKind, reflect.Int64: intKind,
	reflect.Uint: uintKind, reflect.Uint8: uintKind, reflect.Uint16: uintKind, reflect.Uint32: uintKind, reflect.Uint64: uintKind,
	reflect.Float32: float32Kind, reflect.Float64: float64Kind,
	reflect.String: stringKind,
}

func (c *compiler) compound(p *plan) (err *Error) {
	t := p.typ
	switch t.Kind() {
	case reflect.Pointer:
		p.kind = pointerKind
		if p.elem, err = c.plan(t.Elem()); err == nil && p.elem.kind == pointerKind {
			err = fail(t, "a pointer to a pointer is not supported: a nil within it would be lost")
		}
	case reflect.Slice:
		p.kind = sliceKind
		if c.isByte(t.Elem()) {
			p.kind = bytesKind
			return nil
		}
		p.elem, err = c.plan(t.Elem())
		return err.in(each(err))
	case reflect.Array:
		p.kind = arrayKind
		if c.format == CBOR && t.Elem().Kind() == reflect.Uint8 {
			p.kind = byteArrayKind
			return nil
		}
		p.elem, err = c.plan(t.Elem())
		return err.in(each(err))
	case reflect.Map:
		p.kind = mapKind
		return c.mapOf(p)
	case reflect.Struct:
		p.kind = structKind
		return c.structOf(p)
	case reflect.Interface:
		p.kind = anyKind
		if t.NumMethod() > 0 {
			err = fail(t, "%v is an interface: its type is unknown when it is decoded; use a concrete type, or any for plain values", t)
		}
	default:
		err = fail(t, "%v has no %v form", t, c.format)
	}
	return err
}

// each is the segment of a path for all elements.
func each(err *Error) string {
	if err == nil {
		return ""
	}
	return "[]"
}

// isByte says whether a slice of such elements is written as bytes.
func (c *compiler) isByte(t reflect.Type) bool {
	if t.Kind() != reflect.Uint8 {
		return false
	}
	p := reflect.PointerTo(t)
	return c.format == CBOR || !p.Implements(jsonMarshaler) && !p.Implements(textMarshaler) // as encoding/json has it
}

func (c *compiler) mapOf(p *plan) (err *Error) {
	t := p.typ
	if p.key, err = c.plan(t.Key()); err != nil {
		return err.in("[key]")
	}
	if p.elem, err = c.plan(t.Elem()); err != nil {
		return err.in("[]")
	}
	if c.format == JSON {
		return c.jsonKey(p.key)
	}
	if p.key.reaches(map[*plan]bool{}, pointerKind, anyKind) {
		return fail(t, "%v is not supported as the key of a map: it holds a pointer or an interface", t.Key())
	}
	return nil
}

// jsonKey refuses keys that encoding/json cannot write or does not read as it
// writes them.
func (c *compiler) jsonKey(p *plan) *Error {
	switch p.kind {
	case intKind, uintKind, stringKind, textMethod, timeKind:
		return nil
	}
	if implements(p.typ, textMarshaler) && implements(p.typ, textUnmarshaler) {
		return nil
	}
	return fail(p.typ, "%v as the key of a map has no JSON form", p.typ)
}
