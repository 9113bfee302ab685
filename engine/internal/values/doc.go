// Package values writes Go values so that they come back as they were, as CBOR
// or as JSON, and says which part of a value it cannot keep. A type is looked at
// once: what it shows is refused then. The rest is refused value by value.
package values

import "reflect"

// Format is a way to write values.
type Format uint8

const (
	CBOR Format = iota // RFC 8949, by our own encoder and the decoder of fxamacker/cbor
	JSON               // by encoding/json
)

func (f Format) String() string {
	if f == JSON {
		return "JSON"
	}
	return "CBOR"
}

// maxDepth is how deep a value may be nested. encoding/json reads as much.
const maxDepth = 10_000

// Type is a type that was found fit to be written in a format. It is safe for
// concurrent use.
type Type struct {
	plan    *plan
	format  Format
	isOpen  bool // it holds interfaces, whose numbers have to be looked at
	isOwn   bool // it holds types that write JSON themselves
	isFixed bool // nothing of a value has to be checked before it is written
}

// Of looks at a type. The error names the field that cannot be kept, and why.
func Of(t reflect.Type, format Format) (*Type, error) {
	key := cacheKey{t, format}
	if found, ok := cache.Load(key); ok {
		return found.(cached).typ, found.(cached).err
	}
	typ, err := compile(t, format)
	cache.Store(key, cached{typ, err})
	return typ, err
}

// WritesItself says whether a type has methods that write it as JSON or text.
func WritesItself(t reflect.Type) bool {
	return implements(t, jsonMarshaler) || implements(t, textMarshaler)
}
