package values

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
)

// restorer turns a number, as a decoder puts it into an interface, into the one
// that was written.
type restorer func(value any) (any, error)

// unsigned undoes the big.Int of the CBOR decoder.
func unsigned(value any) (any, error) {
	if n, isBig := value.(*big.Int); isBig {
		if n.IsUint64() {
			return n.Uint64(), nil
		}
		return nil, fmt.Errorf("%v is not a 64-bit number", n)
	}
	return value, nil
}

// number is that of a JSON text: a float64, or where that would be another
// number an int64 or uint64.
func number(value any) (any, error) {
	text, isNumber := value.(json.Number)
	if !isNumber {
		return value, nil
	}
	f, err := text.Float64()
	const always = 15 // digits that a float64 holds
	if err == nil && len(text) <= always {
		return f, nil
	}
	if n, isInt := new(big.Int).SetString(string(text), 10); isInt && text != "-0" {
		exact := err == nil && isExact(f, n)
		switch {
		case exact:
		case n.IsInt64():
			return n.Int64(), nil
		case n.IsUint64():
			return n.Uint64(), nil
		case err == nil && jsonNumber(f) == string(text): // a float64 wrote it
		default:
			return nil, fmt.Errorf("the number %s does not fit into 64 bits", text)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the number %s: %w", text, err)
	}
	return f, nil
}

func isExact(f float64, n *big.Int) bool {
	whole, accuracy := big.NewFloat(f).Int(nil)
	return accuracy == big.Exact && whole.Cmp(n) == 0
}

// jsonNumber is a number as encoding/json writes it.
func jsonNumber(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

func restoreInto(p *plan, ptr any, r restorer) error {
	_, err := r.restore(p, reflect.ValueOf(ptr).Elem())
	return err
}

// restore goes through what may hold interfaces. It says whether it changed
// the value itself: then the caller puts its copy back in place.
func (r restorer) restore(p *plan, v reflect.Value) (changed bool, err error) {
	if !p.isOpen {
		return false, nil
	}
	switch p.kind {
	case anyKind:
		if v.IsNil() {
			return false, nil
		}
		value, err := r.dynamic(v.Elem().Interface())
		if err == nil {
			v.Set(reflect.ValueOf(value))
		}
		return true, err
	case pointerKind:
		if v.IsNil() {
			return false, nil
		}
		_, err := r.restore(p.elem, v.Elem())
		return false, err
	case structKind:
		for i := range p.fields {
			if f, ok := p.fields[i].of(v); ok {
				did, err := r.restore(p.fields[i].plan, f)
				if err != nil {
					return false, fmt.Errorf("%s.%w", p.fields[i].name, err)
				}
				changed = changed || did
			}
		}
		return changed, nil
	case sliceKind, arrayKind:
		for i := range v.Len() {
			did, err := r.restore(p.elem, v.Index(i))
			if err != nil {
				return false, err
			}
			changed = changed || did && p.kind == arrayKind
		}
		return changed, nil
	case mapKind:
		return false, r.entries(p, v)
	}
	return false, nil
}

func (r restorer) entries(p *plan, v reflect.Value) error {
	for it := v.MapRange(); it.Next(); {
		value := reflect.New(p.elem.typ).Elem()
		value.SetIterValue(it)
		changed, err := r.restore(p.elem, value)
		if err != nil {
			return err
		}
		if changed {
			v.SetMapIndex(it.Key(), value)
		}
	}
	return nil
}

func (r restorer) dynamic(value any) (_ any, err error) {
	switch x := value.(type) {
	case []any:
		for i := range x {
			if x[i], err = r.dynamic(x[i]); err != nil {
				return nil, err
			}
		}
		return x, nil
	case map[string]any:
		for key := range x {
			if x[key], err = r.dynamic(x[key]); err != nil {
				return nil, err
			}
		}
		return x, nil
	}
	return r(value)
}
