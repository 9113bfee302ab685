package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"penstock/engine/cborjson"
	"penstock/engine/internal/view"
)

// shape says how a stage's state is to be read without its program.
type shape struct {
	Codec string `json:"codec"`
	Keyed bool   `json:"keyed"`
}

const shapeNote = "shape"

// saveShape keeps the shape beside the checkpoint, for Inspect.
func (in *instance) saveShape() error {
	data, err := json.Marshal(shape{Codec: in.definition.StateCodec(), Keyed: in.definition.Keyed()})
	if err != nil {
		return err
	}
	old, found, err := in.committed.Store.Note(shapeNote)
	if err != nil || found && string(old) == string(data) {
		return err
	}
	return in.committed.Store.PutNote(shapeNote, data)
}

// json says bytes of a state in JSON.
func (s shape) json(data []byte) json.RawMessage {
	var value any
	var err error
	switch s.Codec {
	case "cbor", "json":
		if shown, ok := cborjson.Value(s.Codec, data); ok {
			return shown
		}
		err = errors.New("neither CBOR nor JSON")
	case "string":
		if utf8.Valid(data) {
			value = string(data)
		} else {
			err = errors.New("not UTF-8")
		}
	case "bool":
		value = len(data) == 1 && data[0] == 1
	case "uint64":
		value, err = uint64Codec{}.Decode(data)
	case "int64":
		value, err = int64Codec{}.Decode(data)
	case "float64":
		value, err = float64Codec{}.Decode(data)
	default:
		err = errors.New("unknown codec")
	}
	if err == nil {
		if text, err := json.Marshal(value); err == nil {
			return text
		}
	}
	text, _ := json.Marshal(map[string]any{"codec": s.Codec, "bytes": data})
	return text
}

// each shows every state of a stage.
func (s shape) each(c *view.View, fn func(key string, state json.RawMessage) error) error {
	if s.Keyed {
		return c.EachKey("", func(key string, value []byte) error { return fn(key, s.json(value)) })
	}
	data, found := c.Whole()
	if !found {
		return fmt.Errorf("%w: stage %s has committed nothing yet", ErrNoState, c.Stage)
	}
	return fn("", s.json(data))
}

// one shows the state of a key.
func (s shape) one(c *view.View, key string) (json.RawMessage, error) {
	if !s.Keyed {
		return nil, fmt.Errorf("%w: stage %s has one state, not one per key", ErrNoState, c.Stage)
	}
	data, found, err := c.SettledKey(key)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: stage %s has no key %q", ErrNoState, c.Stage, key)
	}
	return s.json(data), nil
}
