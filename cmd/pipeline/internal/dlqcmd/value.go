package dlqcmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"penstock/engine"
	"penstock/engine/cborjson"
)

// valueText writes a value as text, by the name of its codec. It returns false
// for what is not text. textValue is the inverse, if it is told the value.
func valueText(codec string, value []byte) (text string, ok bool) {
	switch codec {
	case "cbor", "json":
		if shown, ok := cborjson.Value(codec, value); ok {
			return indented(shown), true
		}
	case "bool":
		if len(value) == 1 && value[0] <= 1 {
			return strconv.FormatBool(value[0] == 1), true
		}
	case "uint64":
		n, err := engine.DefaultCodec[uint64]().Decode(value)
		return strconv.FormatUint(n, 10), err == nil
	case "int64":
		n, err := engine.DefaultCodec[int64]().Decode(value)
		return strconv.FormatInt(n, 10), err == nil
	case "float64":
		n, err := engine.DefaultCodec[float64]().Decode(value)
		return strconv.FormatFloat(n, 'g', -1, 64), err == nil
	case "string":
		return string(value), utf8.Valid(value)
	default:
		return string(value), utf8.Valid(value) && !strings.ContainsFunc(string(value), binary)
	}
	return "", false
}

// binary tells characters that text hardly has.
func binary(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0x7f }

// textValue makes a value of text, in the place of the one before. The error says
// what the codec wants.
func textValue(codec, text string, before []byte) (value []byte, err error) {
	number := strings.TrimSpace(text)
	switch codec {
	case "cbor", "json":
		if cborjson.IsMarked(before) || codec == "cbor" && !json.Valid(before) {
			if value, err = cborjson.Parse([]byte(text), before); err != nil {
				return nil, fmt.Errorf("the value is not JSON: %w", err)
			}
			return value, nil
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(text)); err != nil {
			return nil, fmt.Errorf("the value is not JSON: %w", err)
		}
		return compact.Bytes(), nil
	case "bool":
		switch number {
		case "true":
			return []byte{1}, nil
		case "false":
			return []byte{0}, nil
		}
		return nil, fmt.Errorf("the value %q must be true or false", brief(text))
	case "uint64":
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return nil, noNumber(text, "a whole number of 0 or more", err)
		}
		return engine.DefaultCodec[uint64]().Append(nil, n)
	case "int64":
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, noNumber(text, "a whole number", err)
		}
		return engine.DefaultCodec[int64]().Append(nil, n)
	case "float64":
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, noNumber(text, "a number", err)
		}
		return engine.DefaultCodec[float64]().Append(nil, n)
	}
	return []byte(text), nil
}

func noNumber(text, want string, err error) error {
	return fmt.Errorf("the value %q is not %s: %w", brief(text), want, errors.Unwrap(err))
}

func brief(text string) string {
	if len(text) > 40 {
		return text[:40] + "…"
	}
	return text
}

// Indentation makes JSON larger, and much larger if it is deep.
const (
	indentBytes = 256 << 10
	indentDepth = 32
)

// indented lays JSON out for people, unless it would grow too much.
func indented(value []byte) string {
	var out bytes.Buffer
	if len(value) > indentBytes || depth(value) > indentDepth || json.Indent(&out, bytes.TrimSpace(value), "", "  ") != nil {
		return string(value)
	}
	return out.String()
}

// depth is how deep valid JSON is nested.
func depth(value []byte) (most int) {
	deep, quoted := 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			deep++
			most = max(most, deep)
		case c == '}' || c == ']':
			deep--
		}
	}
	return most
}
