package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"penstock/cmd/pipeline/internal/render"
	"penstock/engine"
)

// StateView is the committed state of one stage, wherever it comes from.
type StateView struct {
	One  func(key string) (json.RawMessage, error)
	Each func(fn func(key string, state json.RawMessage) error) error
}

// keyLine is a line about one key.
type keyLine struct {
	Key      string          `json:"key"`
	KeyBytes []byte          `json:"key_bytes,omitempty"` // in base64, of a key that is not UTF-8
	State    json.RawMessage `json:"state"`
}

// Write writes the state of a key, or of all keys a line each, or that of a
// stage with one state.
func (v StateView) Write(w io.Writer, key *string) error {
	out := bufio.NewWriterSize(w, 32<<10)
	var err error
	if key != nil {
		var state json.RawMessage
		if state, err = v.One(*key); err == nil {
			err = writeLine(out, state)
		}
	} else {
		err = v.writeAll(out)
	}
	if err != nil {
		return err // what is buffered is better not begun
	}
	return out.Flush()
}

func (v StateView) writeAll(out io.Writer) error {
	// each gives the key "" for a stage with one state, and for the key "".
	_, err := v.One("")
	if err != nil && !errors.Is(err, engine.ErrNoState) {
		return err
	}
	hasEmptyKey := err == nil
	return v.Each(func(key string, state json.RawMessage) error {
		if key == "" && !hasEmptyKey {
			return writeLine(out, state)
		}
		line := keyLine{Key: key, State: state}
		if !utf8.ValidString(key) {
			line.KeyBytes = []byte(key)
		}
		data, err := json.Marshal(line)
		if err != nil {
			return fmt.Errorf("encode the state of key %q: %w", key, err)
		}
		return writeLine(out, data)
	})
}

// writeLine writes JSON on one line.
func writeLine(out io.Writer, data []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	_, err := out.Write(append(render.EscapeJSON(line.Bytes()), '\n'))
	return err
}
