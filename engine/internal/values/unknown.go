package values

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// loose reads a map or an array whatever is in it.
var loose = func() cbor.DecMode {
	mode, err := cbor.DecOptions{MaxNestedLevels: maxDepth + 2, MaxArrayElements: 1<<31 - 1, MaxMapPairs: 1<<31 - 1, UTF8: cbor.UTF8DecodeInvalid}.DecMode()
	if err != nil {
		panic("values: CBOR options: " + err.Error())
	}
	return mode
}()

// mostNamed bounds the bytes that are gone through once more for an error.
const mostNamed = 64 << 10

// named names the field that the decoder has not found.
func (t *Type) named(err error, data []byte) error {
	var unknown *cbor.UnknownFieldError
	if !errors.As(err, &unknown) || len(data) > mostNamed {
		return err
	}
	if field := t.plan.unknown(data); field != "" {
		return fmt.Errorf("cbor: unknown field %q", field[1:])
	}
	return err
}

// unknown finds the first field in CBOR that a struct does not have.
func (p *plan) unknown(data []byte) string {
	if len(data) == 0 { // the field is not there; its type may be one that it is in
		return ""
	}
	switch p.kind {
	case pointerKind:
		return p.elem.unknown(data)
	case sliceKind, arrayKind:
		var list []cbor.RawMessage
		_ = loose.Unmarshal(data, &list)
		for i := range list {
			if field := p.elem.unknown(list[i]); field != "" {
				return fmt.Sprintf("[%d]%s", i, field)
			}
		}
	case mapKind:
		var entries map[any]cbor.RawMessage
		_ = loose.Unmarshal(data, &entries)
		for key, value := range entries {
			if field := p.elem.unknown(value); field != "" {
				return fmt.Sprintf("[%v]%s", key, field)
			}
		}
	case structKind:
		return p.unknownOfStruct(data)
	}
	return ""
}

func (p *plan) unknownOfStruct(data []byte) string {
	var fields map[string]cbor.RawMessage
	_ = loose.Unmarshal(data, &fields)
	for i := range p.fields {
		f := &p.fields[i]
		if field := f.plan.unknown(fields[f.key]); field != "" {
			return "." + f.key + field
		}
		delete(fields, f.key)
	}
	if len(fields) == 0 {
		return ""
	}
	return "." + slices.Min(slices.Collect(maps.Keys(fields)))
}
