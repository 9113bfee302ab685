package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"penstock/checkpoint"
	"penstock/engine/broker"
	"penstock/engine/cborjson"
	"penstock/engine/channel"
)

// ErrNoState says that there is no such stage, or no such key.
var ErrNoState = errors.New("no such state")

// State gives the committed state of a stage of the running pipeline as JSON:
// once with the key "" for a stage with one state, and for a keyed stage once
// for each key, in order. fn's error stops it. Safe for concurrent use.
//
// CBOR is shown as package cborjson does it. A state whose codec is not known is
// given as an object with the codec's name and the bytes in base64.
func (p *Pipeline) State(stage string, fn func(key string, state json.RawMessage) error) error {
	view, s, err := p.view(stage)
	if err != nil {
		return err
	}
	return view.each(s, fn)
}

// StateOf gives the committed state of one key of a keyed stage of the
// running pipeline; see State.
func (p *Pipeline) StateOf(stage, key string) (json.RawMessage, error) {
	view, s, err := p.view(stage)
	if err != nil {
		return nil, err
	}
	return view.one(s, key)
}

func (p *Pipeline) view(stage string) (*committed, shape, error) {
	in, err := p.running(stage)
	if err != nil {
		return nil, shape{}, err
	}
	return in.committed, shape{Codec: in.definition.stateCodec(), Keyed: in.definition.keyed()}, nil
}

// running returns the instance of a stage of the pipeline, which must run.
func (p *Pipeline) running(stage string) (*instance, error) {
	r, err := p.serving()
	if err != nil {
		return nil, err
	}
	d := p.stage(stage)
	if d == nil {
		return nil, fmt.Errorf("%w: pipeline %s has no stage %q", ErrNoState, p.name, stage)
	}
	return r.byStage[d], nil
}

// shape says how a stage's state is to be read without its program.
type shape struct {
	Codec string `json:"codec"`
	Keyed bool   `json:"keyed"`
}

const shapeNote = "shape"

// saveShape keeps the shape beside the checkpoint, for Inspect.
func (in *instance) saveShape() error {
	data, err := json.Marshal(shape{Codec: in.definition.stateCodec(), Keyed: in.definition.keyed()})
	if err != nil {
		return err
	}
	old, found, err := in.committed.store.Note(shapeNote)
	if err != nil || found && string(old) == string(data) {
		return err
	}
	return in.committed.store.PutNote(shapeNote, data)
}

func (c *committed) each(s shape, fn func(key string, state json.RawMessage) error) error {
	if s.Keyed {
		return c.eachKey("", func(key string, value []byte) error { return fn(key, s.json(value)) })
	}
	data, found := c.whole()
	if !found {
		return fmt.Errorf("%w: stage %s has committed nothing yet", ErrNoState, c.stage)
	}
	return fn("", s.json(data))
}

func (c *committed) one(s shape, key string) (json.RawMessage, error) {
	if !s.Keyed {
		return nil, fmt.Errorf("%w: stage %s has one state, not one per key", ErrNoState, c.stage)
	}
	data, found, err := c.settledKey(key)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: stage %s has no key %q", ErrNoState, c.stage, key)
	}
	return s.json(data), nil
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

// Inspector reads the committed states of a pipeline that is not running,
// without its program and without changing anything but the directory's lock.
type Inspector struct {
	dir      *directory
	broker   *broker.Broker
	store    *checkpoint.Store
	pipeline string
}

// Inspect opens the data directory of a pipeline that is not running. A
// directory in use gives ErrLocked. Close it after use.
func Inspect(ctx context.Context, config Config) (*Inspector, error) {
	config = config.withDefaults()
	dir, err := openExisting(config.Dir)
	if err != nil {
		return nil, err
	}
	i := &Inspector{dir: dir}
	if err := i.open(ctx, config); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func (i *Inspector) open(ctx context.Context, config Config) (err error) {
	if i.store, err = checkpoint.Open(checkpoint.Config{Dir: i.dir.checkpoints(), Logger: config.Logger}); err != nil {
		return err
	}
	id, found, err := readIdentity(i.store)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s holds no pipeline", i.dir.path)
	}
	i.pipeline = id.Pipeline
	i.broker, err = broker.Open(ctx, config.broker(id.Pipeline, i.dir.broker()))
	return err
}

// Pipeline returns the name of the pipeline that the directory belongs to.
func (i *Inspector) Pipeline() string { return i.pipeline }

// State is Pipeline.State for a pipeline that is not running.
func (i *Inspector) State(ctx context.Context, stage string, fn func(key string, state json.RawMessage) error) error {
	view, s, err := i.view(ctx, stage)
	if err != nil {
		return err
	}
	return view.each(s, fn)
}

// StateOf is Pipeline.StateOf for a pipeline that is not running.
func (i *Inspector) StateOf(ctx context.Context, stage, key string) (json.RawMessage, error) {
	view, s, err := i.view(ctx, stage)
	if err != nil {
		return nil, err
	}
	return view.one(s, key)
}

func (i *Inspector) view(ctx context.Context, stage string) (*committed, shape, error) {
	if err := checkName("stage", stage); err != nil {
		return nil, shape{}, err
	}
	view := newCommitted(stage, i.store.Instance(stage+".0"))
	data, found, err := view.store.Note(shapeNote)
	if err != nil {
		return nil, shape{}, err
	}
	ch, exists, err := channel.Lookup(ctx, i.broker, i.pipeline, stage)
	if err != nil {
		return nil, shape{}, err
	}
	if !found || !exists {
		return nil, shape{}, fmt.Errorf("%w: pipeline %s has no stage %q", ErrNoState, i.pipeline, stage)
	}
	var s shape
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, shape{}, fmt.Errorf("read the shape of the state: %w", err)
	}
	return view, s, view.catchUp(ctx, ch, s.Keyed)
}

// Close releases the directory.
func (i *Inspector) Close() error {
	var err error
	if i.store != nil {
		err = i.store.Close()
	}
	if i.broker != nil {
		i.broker.Close()
	}
	i.dir.close()
	return err
}

// Stages returns the names of the pipeline's stages, sorted.
func (i *Inspector) Stages(ctx context.Context) ([]string, error) {
	return channel.Stages(ctx, i.broker, i.pipeline)
}
