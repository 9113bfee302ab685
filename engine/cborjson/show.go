package cborjson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/x448/float16"
)

// ErrNotCBOR says that bytes are not CBOR, or not all of them.
var ErrNotCBOR = errors.New("not CBOR")

// IsMarked says whether bytes begin with Mark.
func IsMarked(data []byte) bool { return bytes.HasPrefix(data, []byte(Mark)) }

// JSON shows CBOR, marked or not, as compact JSON.
func JSON(data []byte) (json.RawMessage, error) {
	if err := wellFormed.Wellformed(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCBOR, err)
	}
	return index(data).appendJSON(make([]byte, 0, 2*len(data)), data), nil
}

// Value shows the bytes of a codec named "cbor" or "json" as JSON. Both read what
// the other wrote, so the bytes may be either. It returns false for what is none
// of them, and for other codecs.
func Value(codec string, data []byte) (shown json.RawMessage, ok bool) {
	switch {
	case codec != "cbor" && codec != "json":
		return nil, false
	case !IsMarked(data) && utf8.Valid(data) && json.Valid(data):
		return append(json.RawMessage(nil), data...), true
	case !IsMarked(data) && codec == "json":
		return nil, false
	}
	shown, err := JSON(data)
	return shown, err == nil
}

func (d document) appendJSON(out, at []byte) []byte {
	it := read(at)
	switch it.major {
	case majorUint:
		return strconv.AppendUint(out, it.n, 10)
	case majorNegInt:
		return append(out, negative(it.n).String()...)
	case majorBytes:
		content := it.content()
		return appendBytes(out, content)
	case majorText:
		content := it.content()
		return appendText(out, content)
	case majorArray:
		return d.appendArray(out, it)
	case majorMap:
		return d.appendMap(out, d.entries(it))
	case majorTag:
		return d.appendTag(out, it)
	}
	return appendOther(out, it)
}

func negative(n uint64) *big.Int { return new(big.Int).Not(new(big.Int).SetUint64(n)) }

func appendBytes(out, content []byte) []byte {
	out = append(out, `{"$bytes":"`...)
	out = base64.StdEncoding.AppendEncode(out, content)
	return append(out, `"}`...)
}

func appendText(out, content []byte) []byte {
	if utf8.Valid(content) {
		return appendString(out, string(content))
	}
	quoted := strconv.Quote(string(content))
	out = append(out, `{"$text":`...)
	out = appendString(out, quoted[1:len(quoted)-1])
	return append(out, '}')
}

func appendString(out []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always has a form
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

func (d document) appendArray(out []byte, it item) []byte {
	out = append(out, '[')
	for i, element := range d.elements(it) {
		if i > 0 {
			out = append(out, ',')
		}
		out = d.appendJSON(out, element)
	}
	return append(out, ']')
}

func (d document) appendMap(out []byte, entries []entry) []byte {
	if !isObject(entries) {
		out = append(out, `{"$map":[`...)
		for i, e := range entries {
			if i > 0 {
				out = append(out, ',')
			}
			out = d.appendJSON(append(out, '['), e.key)
			out = d.appendJSON(append(out, ','), e.value)
			out = append(out, ']')
		}
		return append(out, "]}"...)
	}
	out = append(out, '{')
	for i, e := range entries {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendString(out, keyText(e.key))
		out = d.appendJSON(append(out, ':'), e.value)
	}
	return append(out, '}')
}

// isObject says whether the keys of a map can be those of an object: all texts
// or all integers.
func isObject(entries []entry) bool {
	integers := 0
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		it := read(e.key)
		switch {
		case it.isInteger():
			integers++
		case it.major != majorText:
			return false
		default:
			if content := it.content(); !utf8.Valid(content) || isMarker(string(content)) {
				return false
			}
		}
		text := keyText(e.key)
		if seen[text] {
			return false
		}
		seen[text] = true
	}
	return integers == 0 || integers == len(entries)
}

func isMarker(key string) bool {
	switch key {
	case "$bytes", "$text", "$float", "$map", "$tag", "$simple":
		return true
	}
	return false
}

func keyText(key []byte) string {
	it := read(key)
	if it.major == majorText {
		content := it.content()
		return string(content)
	}
	return string(document{}.appendJSON(nil, key)) // an integer
}

func (d document) appendTag(out []byte, it item) []byte {
	inner := read(it.body)
	isContent := inner.major == majorBytes
	switch {
	case it.n == tagMark:
		return d.appendJSON(out, it.body)
	case it.n == tagTime && inner.major == majorText:
		return d.appendJSON(out, it.body)
	case (it.n == tagBig || it.n == tagNegBig) && isContent:
		content := inner.content()
		n := new(big.Int).SetBytes(content)
		if it.n == tagNegBig {
			n.Not(n)
		}
		return n.Append(out, 10)
	case it.n == tagJSON && isContent:
		content := inner.content()
		var compact bytes.Buffer
		if utf8.Valid(content) && json.Compact(&compact, content) == nil {
			return append(out, compact.Bytes()...)
		}
	}
	out = strconv.AppendUint(append(out, `{"$tag":[`...), it.n, 10)
	out = d.appendJSON(append(out, ','), it.body)
	return append(out, "]}"...)
}

func appendOther(out []byte, it item) []byte {
	switch it.info {
	case simpleFalse:
		return append(out, "false"...)
	case simpleTrue:
		return append(out, "true"...)
	case simpleNull, simpleUndefined:
		return append(out, "null"...)
	case float16Info:
		return appendFloat(out, float64(float16.Frombits(uint16(it.n)).Float32()), 32)
	case float32Info:
		return appendFloat(out, float64(math.Float32frombits(uint32(it.n))), 32)
	case float64Info:
		return appendFloat(out, math.Float64frombits(it.n), 64)
	}
	out = strconv.AppendUint(append(out, `{"$simple":`...), it.n, 10)
	return append(out, '}')
}

// appendFloat keeps whole numbers apart from integers.
func appendFloat(out []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		out = append(out, `{"$float":"`...)
		out = strconv.AppendFloat(out, f, 'g', -1, 64)
		return append(out, `"}`...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	text := strconv.FormatFloat(f, format, -1, bits)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return append(out, text...)
}
