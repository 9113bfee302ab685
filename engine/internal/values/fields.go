package values

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// field is a field of a struct, or of one that is embedded in it.
type field struct {
	name      string // in Go
	key       string // as it is written
	index     []int
	plan      *plan
	omitEmpty bool
	omitZero  bool
	isBehind  bool // an embedded pointer
}

// structOf finds the fields, and refuses those that would be dropped without a
// word.
func (c *compiler) structOf(p *plan) *Error {
	fields, err := c.fields(p.typ, nil, false, []reflect.Type{p.typ})
	if err != nil {
		return err
	}
	written := map[string]string{}
	for i := range fields {
		f := &fields[i]
		if other, twice := written[f.key]; twice {
			return fail(p.typ, "the fields %s and %s of %v are both written as %q: give one of them another name", other, f.name, p.typ, f.key)
		}
		written[f.key] = f.name
		if f.plan, err = c.plan(p.typ.FieldByIndex(f.index).Type); err != nil {
			return err.inField(f.name)
		}
		p.isVaried = p.isVaried || f.omitEmpty || f.omitZero || f.isBehind
	}
	p.fields = fields
	return nil
}

func (c *compiler) fields(t reflect.Type, index []int, isBehind bool, within []reflect.Type) (list []field, err *Error) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, isDropped := c.tag(f)
		if isDropped {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if f.Name == "_" {
			if name == "" && options == "" {
				continue // it has no value
			}
			return nil, fail(t, "the tag %q of %v is not supported", tag, t)
		}
		at := append(slices.Clip(slices.Clone(index)), i)
		inner, isPointer := f.Type, f.Type.Kind() == reflect.Pointer
		if isPointer {
			inner = f.Type.Elem()
		}
		if f.Anonymous && name == "" && inner.Kind() == reflect.Struct {
			embedded, err := c.embedded(f, inner, at, isBehind || isPointer, within)
			if err != nil {
				return nil, err
			}
			list = append(list, embedded...)
			continue
		}
		if !f.IsExported() {
			return nil, fail(t, "field %s of %v is not exported: export it, mark it `json:\"-\"`, or use another codec", f.Name, t)
		}
		own := field{name: f.Name, key: name, index: at, isBehind: isBehind}
		if own.key == "" || c.format == JSON && !isName(name) {
			own.key = f.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "omitempty":
				own.omitEmpty = true
			case "omitzero":
				own.omitZero = true
			case "keyasint":
				return nil, fail(t, "the option keyasint of field %s of %v is not supported", f.Name, t)
			}
		}
		list = append(list, own)
	}
	return list, nil
}

// embedded are the fields of a struct that are written as those of the one
// around it.
func (c *compiler) embedded(f reflect.StructField, inner reflect.Type, at []int, isBehind bool, within []reflect.Type) ([]field, *Error) {
	if slices.Contains(within, inner) {
		return nil, fail(inner, "%v embeds itself", inner)
	}
	if f.Type.Kind() == reflect.Pointer && !f.IsExported() {
		return nil, fail(f.Type, "the embedded pointer %s is not exported: it cannot be read back; export it or mark it `json:\"-\"`", f.Name)
	}
	list, err := c.fields(inner, at, isBehind, append(slices.Clip(within), inner))
	if err != nil || f.Type.Kind() != reflect.Pointer {
		return list, err
	}
	isTold := slices.ContainsFunc(list, func(f field) bool { return !f.omitEmpty && !f.omitZero })
	if !isTold {
		return nil, fail(f.Type, "the embedded pointer %s may be written as nothing, and would come back nil: give it a name", f.Name)
	}
	return list, nil
}

// tag is what says how a field is written.
func (c *compiler) tag(f reflect.StructField) (tag string, isDropped bool) {
	if c.format == CBOR {
		tag = f.Tag.Get("cbor")
	}
	if tag == "" {
		tag = f.Tag.Get("json")
	}
	return tag, tag == "-"
}

// isName says whether encoding/json takes a name from a tag.
func isName(name string) bool {
	if name == "" {
		return false
	}
	for _, r := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}

// isLeftOut says whether the options of the field keep its value from being
// written.
func (f *field) isLeftOut(v reflect.Value) bool {
	return f.omitEmpty && isEmpty(v) || f.omitZero && isZero(v)
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

type zeroer interface{ IsZero() bool }

func isZero(v reflect.Value) bool {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return true
	case v.CanAddr() && v.Kind() != reflect.Pointer:
		if z, ok := v.Addr().Interface().(zeroer); ok {
			return z.IsZero()
		}
	default:
		if z, ok := v.Interface().(zeroer); ok {
			return z.IsZero()
		}
	}
	return v.IsZero()
}

// of finds the field in a value of its struct. It is not there if an embedded
// pointer is nil.
func (f *field) of(v reflect.Value) (reflect.Value, bool) {
	for i, n := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}
