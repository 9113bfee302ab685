package cborjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// object is a JSON object in its order.
type object []member

type member struct {
	key   string
	value any
}

// tree reads a JSON value and keeps the order of objects.
func tree(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("it is nested too deep")
	}
	token, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			element, err := tree(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		o := object{}
		seen := map[string]bool{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			key := name.(string)
			if seen[key] {
				return nil, fmt.Errorf("the name %q occurs twice", key)
			}
			seen[key] = true
			value, err := tree(d, depth+1)
			if err != nil {
				return nil, err
			}
			o = append(o, member{key, value})
		}
		_, err = d.Token()
		return o, err
	}
	return token, nil
}

func appendTree(out []byte, value any) []byte {
	switch x := value.(type) {
	case []any:
		out = append(out, '[')
		for i := range x {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendTree(out, x[i])
		}
		return append(out, ']')
	case object:
		out = append(out, '{')
		for i, m := range x {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendTree(append(appendString(out, m.key), ':'), m.value)
		}
		return append(out, '}')
	case string:
		return appendString(out, x)
	case json.Number:
		return append(out, x...)
	case bool:
		return strconv.AppendBool(out, x)
	}
	return append(out, "null"...)
}
