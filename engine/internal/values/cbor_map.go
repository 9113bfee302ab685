package values

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
)

// entry is where an entry of a map was written.
type entry struct{ key, value, end int }

// entries writes a map in the order of its keys, so that the same map is always
// the same bytes.
func (w *writer) entries(p *plan, v reflect.Value) *Error {
	if v.IsNil() {
		w.null()
		return nil
	}
	w.head(majorMap, uint64(v.Len()))
	list := make([]entry, 0, v.Len())
	key, value := reflect.New(p.key.typ).Elem(), reflect.New(p.elem.typ).Elem()
	start := len(w.out)
	for it := v.MapRange(); it.Next(); {
		key.SetIterKey(it)
		value.SetIterValue(it)
		e := entry{key: len(w.out)}
		if err := w.value(p.key, key); err != nil {
			return err.inKey(key)
		}
		e.value = len(w.out)
		if err := w.value(p.elem, value); err != nil {
			return err.inKey(key)
		}
		e.end = len(w.out)
		list = append(list, e)
	}
	return w.sort(p.typ, start, list)
}

func (w *writer) sort(t reflect.Type, start int, list []entry) *Error {
	slices.SortFunc(list, func(a, b entry) int { return compareKeys(w.out[a.key:a.value], w.out[b.key:b.value]) })
	sorted := make([]byte, 0, len(w.out)-start)
	for i, e := range list {
		if i > 0 && bytes.Equal(w.out[e.key:e.value], w.out[list[i-1].key:list[i-1].value]) {
			return fail(t, "two of its keys have the same encoding: %x", head(w.out[e.key:e.value]))
		}
		sorted = append(sorted, w.out[e.key:e.end]...)
	}
	copy(w.out[start:], sorted)
	return nil
}

// compareKeys orders texts as people expect it, and all else by its bytes.
func compareKeys(a, b []byte) int {
	if a[0]>>5 == majorText>>5 && b[0]>>5 == majorText>>5 {
		return cmp.Compare(string(withoutHead(a)), string(withoutHead(b)))
	}
	return bytes.Compare(a, b)
}

// withoutHead is the content of a text.
func withoutHead(text []byte) []byte {
	switch n := text[0] & 0x1f; {
	case n < 24:
		return text[1:]
	default:
		return text[1+1<<(n-24):]
	}
}

func head(key []byte) []byte {
	return key[:min(len(key), 40)]
}
