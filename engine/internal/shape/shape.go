package shape

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"penstock/engine/cborjson"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/view"
)

// Shape says how a stage's state is to be read without its program.
type Shape struct {
	Codec      string `json:"codec"`
	Keyed      bool   `json:"keyed"`
	Partitions int    `json:"partitions,omitempty"` // of the stage; 0: one
	First      int    `json:"first,omitempty"`      // the number of the instance that is partition 0
}

// Of is the shape of a stage that runs in the instances of a layout.
func Of(d *plan.Stage, l plan.Layout) Shape {
	s := Shape{Codec: d.StateCodec(), Keyed: d.Keyed(), First: l.First}
	if l.Count > 1 {
		s.Partitions = l.Count
	}
	return s
}

// Layout are the instances of the stage, each with a part of the states.
func (s Shape) Layout() plan.Layout { return plan.Layout{First: s.First, Count: max(s.Partitions, 1)} }

// ErrNoState says that there is no such stage, or no such key.
var ErrNoState = errors.New("no such state")

// NoStage is the error for a name that is none of these stages, such as the name of an instance in a table or a log.
func NoStage(pipeline, name string, stages []string) error {
	stage, _, isInstance := strings.Cut(name, ".")
	if isInstance && slices.Contains(stages, stage) {
		return fmt.Errorf("%w: pipeline %s has no stage %q: ask for the stage %s, of which that is an instance", ErrNoState, pipeline, name, stage)
	}
	return fmt.Errorf("%w: pipeline %s has no stage %q, it has %s", ErrNoState, pipeline, name, strings.Join(stages, ", "))
}

// note is what the shape is kept as, beside the checkpoint.
const note = "shape"

// Save keeps the shape, where it differs from what is kept.
func (s Shape) Save(store ports.Store) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	old, found, err := store.Note(note)
	if err != nil || found && string(old) == string(data) {
		return err
	}
	return store.PutNote(note, data)
}

// Read reads what Save kept.
func Read(store ports.Store) (s Shape, found bool, err error) {
	data, found, err := store.Note(note)
	if err != nil || !found {
		return s, false, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, false, fmt.Errorf("read the shape of the state: %w", err)
	}
	return s, true, nil
}

// JSON shows the bytes of a state.
func (s Shape) JSON(data []byte) json.RawMessage {
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
		value, err = word(data)
	case "int64":
		var w uint64
		w, err = word(data)
		value = int64(w)
	case "float64":
		var w uint64
		w, err = word(data)
		value = math.Float64frombits(w)
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

func word(data []byte) (uint64, error) {
	if len(data) != 8 {
		return 0, fmt.Errorf("%d bytes, want 8", len(data))
	}
	return binary.LittleEndian.Uint64(data), nil
}

// Each shows every state of a stage.
func (s Shape) Each(c *view.View, fn func(key string, state json.RawMessage) error) error {
	if s.Keyed {
		return c.EachKey("", func(key string, value []byte) error { return fn(key, s.JSON(value)) })
	}
	data, found := c.Whole()
	if !found {
		return fmt.Errorf("%w: stage %s has committed nothing yet", ErrNoState, c.Stage)
	}
	return fn("", s.JSON(data))
}

// One shows the state of a key.
func (s Shape) One(c *view.View, key string) (json.RawMessage, error) {
	if !s.Keyed {
		return nil, fmt.Errorf("%w: stage %s has one state for all keys", ErrNoState, c.Stage)
	}
	data, found, err := c.SettledKey(key)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: stage %s has no key %q", ErrNoState, c.Stage, key)
	}
	return s.JSON(data), nil
}
