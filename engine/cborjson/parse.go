package cborjson

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"penstock/engine/internal/cborhead"
)

// Parse makes CBOR of edited JSON. The value as it was tells what JSON does not:
// what is still shown alike keeps its bytes, a number that was a float stays one,
// a time stays a time, and keys that were integers stay integers. The CBOR is
// marked if the value was. before may be nil.
func Parse(text, before []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	p := parser{was: index(before)}
	if len(before) > 0 {
		if err := wellFormed.Wellformed(before); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotCBOR, err)
		}
	}
	if IsMarked(before) {
		before = before[len(Mark):]
		p.out = append(p.out, Mark...)
	}
	value, err := tree(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("unexpected data after the value")
	}
	if err := p.value(value, before); err != nil {
		return nil, err
	}
	return p.out, nil
}

type parser struct {
	was document
	out []byte
}

func (p *parser) head(major byte, n uint64) { p.out = cborhead.Append(p.out, major<<5, n) }

// value writes a value that was before, or nothing like it.
func (p *parser) value(value any, before []byte) error {
	was := item{major: majorOther, info: simpleNull}
	if len(before) > 0 {
		was = read(before)
		if was.major == majorTag && was.n == tagJSON {
			return p.embedded(value, before)
		}
	}
	switch x := value.(type) {
	case nil:
		p.out = append(p.out, majorOther<<5|simpleNull)
	case bool:
		p.out = append(p.out, majorOther<<5|simpleFalse)
		if x {
			p.out[len(p.out)-1]++
		}
	case string:
		if was.major == majorTag && was.n == tagTime {
			p.head(majorTag, tagTime)
		}
		p.text(x)
	case json.Number:
		return p.number(string(x), before)
	case []any:
		var elements [][]byte
		if was.major == majorArray {
			elements = p.was.elements(was)
		}
		p.head(majorArray, uint64(len(x)))
		for i := range x {
			var was []byte
			if i < len(elements) {
				was = elements[i]
			}
			if err := p.value(x[i], was); err != nil {
				return err
			}
		}
	case object:
		return p.object(x, before, was)
	}
	return nil
}

func (p *parser) text(s string) {
	p.head(majorText, uint64(len(s)))
	p.out = append(p.out, s...)
}

func (p *parser) bytes(b []byte) {
	p.head(majorBytes, uint64(len(b)))
	p.out = append(p.out, b...)
}

// embedded keeps JSON as JSON, and the bytes of what was not changed.
func (p *parser) embedded(value any, before []byte) error {
	text := appendTree(nil, value)
	if string(text) == string(p.was.appendJSON(nil, before)) {
		p.out = append(p.out, p.was.bytes(before)...)
		return nil
	}
	p.head(majorTag, tagJSON)
	p.bytes(text)
	return nil
}

// number keeps the kind that it was: a float, or an integer of any size.
func (p *parser) number(text string, before []byte) error {
	wasFloat, wasBig := false, false
	if len(before) > 0 {
		was := read(before)
		wasFloat = was.major == majorOther && was.info >= float16Info
		wasBig = was.major == majorTag && (was.n == tagBig || was.n == tagNegBig)
		if string(p.was.appendJSON(nil, before)) == text {
			p.out = append(p.out, p.was.bytes(before)...)
			return nil
		}
	}
	n, isInt := new(big.Int).SetString(text, 10)
	if !isInt || wasFloat {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("the number %s: %w", text, errors.Unwrap(err))
		}
		p.out = binary.BigEndian.AppendUint64(append(p.out, majorOther<<5|float64Info), math.Float64bits(f))
		return nil
	}
	major, tag := byte(majorUint), uint64(tagBig)
	if n.Sign() < 0 {
		major, tag = majorNegInt, tagNegBig
		n.Not(n)
	}
	if n.IsUint64() && !wasBig {
		p.head(major, n.Uint64())
		return nil
	}
	p.head(majorTag, tag)
	p.bytes(n.Bytes())
	return nil
}

func (p *parser) object(o object, before []byte, was item) error {
	if len(o) == 1 && isMarker(o[0].key) {
		return p.marker(o[0], before, was)
	}
	entries := map[string][]byte{}
	integers := was.major == majorMap && was.n > 0
	if was.major == majorMap {
		for _, e := range p.was.entries(was) {
			entries[keyText(e.key)] = e.value
			integers = integers && read(e.key).isInteger()
		}
	}
	p.head(majorMap, uint64(len(o)))
	for _, m := range o {
		if integers {
			if err := p.number(m.key, nil); err != nil || strings.ContainsAny(m.key, ".eE ") {
				return fmt.Errorf("the key %q is not an integer, as the others are", m.key)
			}
		} else {
			p.text(m.key)
		}
		if err := p.value(m.value, entries[m.key]); err != nil {
			return err
		}
	}
	return nil
}

// marker writes what JSON has no form for.
func (p *parser) marker(m member, before []byte, was item) error {
	if m.key != "$map" && m.key != "$tag" && len(before) > 0 && string(p.was.appendJSON(nil, before)) == string(appendTree(nil, object{m})) {
		p.out = append(p.out, p.was.bytes(before)...)
		return nil
	}
	bad := fmt.Errorf("%s has the wrong content", appendTree(nil, object{m}))
	text, isText := m.value.(string)
	list, _ := m.value.([]any)
	switch m.key {
	case "$bytes":
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !isText {
			return bad
		}
		p.bytes(content)
	case "$text":
		content, err := strconv.Unquote(`"` + text + `"`)
		if err != nil || !isText {
			return bad
		}
		p.text(content)
	case "$float":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !isText {
			return bad
		}
		p.out = binary.BigEndian.AppendUint64(append(p.out, majorOther<<5|float64Info), math.Float64bits(f))
	case "$map":
		return p.pairs(list, was, bad)
	case "$tag":
		return p.tag(list, was, bad)
	default:
		return bad
	}
	return nil
}

func (p *parser) tag(list []any, was item, bad error) error {
	if len(list) != 2 {
		return bad
	}
	number, _ := list[0].(json.Number)
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		return bad
	}
	p.head(majorTag, n)
	var inner []byte
	if was.major == majorTag {
		inner = was.body
	}
	return p.value(list[1], inner)
}

// pairs writes a map whose keys are no texts.
func (p *parser) pairs(list []any, was item, bad error) error {
	entries := map[string]entry{}
	if was.major == majorMap {
		for _, e := range p.was.entries(was) {
			entries[string(p.was.appendJSON(nil, e.key))] = e
		}
	}
	p.head(majorMap, uint64(len(list)))
	for _, pair := range list {
		both, _ := pair.([]any)
		if len(both) != 2 {
			return bad
		}
		before := entries[string(appendTree(nil, both[0]))]
		if before.key != nil {
			p.out = append(p.out, p.was.bytes(before.key)...)
		} else if err := p.value(both[0], nil); err != nil {
			return err
		}
		if err := p.value(both[1], before.value); err != nil {
			return err
		}
	}
	return nil
}
