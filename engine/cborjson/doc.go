// Package cborjson shows CBOR as JSON to people, without the Go type that was
// written, and makes CBOR of JSON that they have edited.
//
// Fields keep their order and integers all their digits. Whole floats are shown
// with ".0". What JSON has no form for is an object with one key: {"$bytes":"…"}
// (base64), {"$text":"caf\\xe9"} for a text that is not UTF-8 (as Go quotes it),
// {"$float":"NaN"}, {"$map":[[key,value],…]} for keys that are neither all texts
// nor all integers, and {"$tag":[number,value]}. A map that has such a key itself
// is shown as a $map. A time is shown as its text, embedded JSON as that JSON.
package cborjson

import "github.com/fxamacker/cbor/v2"

// Mark is the tag (55799) in front of CBOR that says what it is.
const Mark = "\xd9\xd9\xf7"

// Major types of RFC 8949, and what is used of them.
const (
	majorUint = iota
	majorNegInt
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorOther
)

const (
	simpleFalse     = 20
	simpleTrue      = 21
	simpleNull      = 22
	simpleUndefined = 23
	float16Info     = 25
	float32Info     = 26
	float64Info     = 27

	tagTime   = 0
	tagBig    = 2
	tagNegBig = 3
	tagJSON   = 262
	tagMark   = 55799
)

// maxDepth bounds the nesting that is shown: no deeper than what is written.
const maxDepth = 10_004

var wellFormed = func() cbor.DecMode {
	mode, err := cbor.DecOptions{MaxNestedLevels: maxDepth, MaxArrayElements: 1<<31 - 1, MaxMapPairs: 1<<31 - 1, IndefLength: cbor.IndefLengthForbidden}.DecMode()
	if err != nil {
		panic("cborjson: CBOR options: " + err.Error())
	}
	return mode
}()
