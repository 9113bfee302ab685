package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"penstock/checkpoint"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/layout"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/shape"
	"penstock/engine/internal/view"
)

// Inspector reads what a pipeline that is not running has left, without its
// program, and changes nothing: where the channels are in the directory it works
// with a copy of what is asked for, in the directory for temporary files. Only
// what is done with the queue of DeadLetters takes effect. Not safe for concurrent
// use.
type Inspector struct {
	config   Config
	keys     *frame.Keys
	dir      *datadir.Directory
	copies   *copies
	store    *checkpoint.Store
	pipeline string
	identity string
	outside  *broker.Broker // a server that is named; nil: the channels are in the directory
	inside   *broker.Broker // on the directory itself, for what changes something
}

// Open opens the data directory of a pipeline that is not running. A directory in
// use gives engine.ErrLocked, one whose channels are on another server than
// config.NATS says engine.ErrElsewhere. Authenticated frames are read with
// config.FrameKeys only: else State gives engine.ErrFrameKey. Close it after use.
func Open(ctx context.Context, config Config) (*Inspector, error) {
	config = config.withDefaults()
	keys, err := frame.KeysOf(config.FrameKeys)
	if err != nil {
		return nil, err
	}
	if _, err := datadir.Locate(config.Dir); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(config.Dir, "checkpoints")); err != nil {
		return nil, fmt.Errorf("%s is not a data directory: %w", config.Dir, err)
	}
	dir, err := datadir.Look(config.Dir)
	if err != nil {
		return nil, err
	}
	i := &Inspector{config: config, keys: keys, dir: dir}
	if err := i.open(ctx); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func (i *Inspector) open(ctx context.Context) (err error) {
	if err := i.dir.CheckServer(i.config.NATS.URL); err != nil {
		return err
	}
	if i.copies, err = newCopies(i.dir); err != nil {
		return err
	}
	path, err := i.copies.checkpoints()
	if err != nil {
		return err
	}
	if i.store, err = checkpoint.Open(checkpoint.Config{Dir: path, Logger: i.config.Logger}); err != nil {
		return err
	}
	id, found, err := datadir.ReadIdentity(i.store)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s does not hold the data of a pipeline", i.dir.Path)
	}
	i.pipeline, i.identity = id.Pipeline, id.ID
	if i.config.NATS.URL == "" {
		return nil
	}
	if i.outside, err = broker.Open(ctx, i.config.broker(id.Pipeline, "")); err != nil {
		return err
	}
	return i.dir.CheckMoved(ctx, i.outside, id, i.config.NATS.URL)
}

// server is one that has these streams, as far as they exist.
func (i *Inspector) server(ctx context.Context, streams ...string) (*broker.Broker, error) {
	switch {
	case i.outside != nil:
		return i.outside, nil
	case i.inside != nil:
		return i.inside, nil
	}
	return i.copies.server(ctx, i.config, i.pipeline, streams)
}

// Pipeline returns the name of the pipeline that the directory belongs to.
func (i *Inspector) Pipeline() string { return i.pipeline }

// State is that method of engine.Pipeline for a pipeline that is not running.
func (i *Inspector) State(ctx context.Context, stage string, fn func(key string, state json.RawMessage) error) error {
	s, err := i.shape(stage)
	if err != nil {
		return err
	}
	for _, id := range s.Layout().Instances(stage) {
		view, err := i.view(ctx, id, s)
		if err == nil {
			err = s.Each(view, fn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// StateOf is that method of engine.Pipeline for a pipeline that is not running.
func (i *Inspector) StateOf(ctx context.Context, stage, key string) (json.RawMessage, error) {
	s, err := i.shape(stage)
	if err != nil {
		return nil, err
	}
	view, err := i.view(ctx, s.Layout().InstanceOf(stage, key), s)
	if err != nil {
		return nil, err
	}
	return s.One(view, key)
}

// shape says how the states of a stage are read.
func (i *Inspector) shape(stage string) (shape.Shape, error) {
	if plan.CheckName("stage", stage) != nil {
		return shape.Shape{}, i.noStage(stage)
	}
	note, err := layout.Read(i.store)
	if err != nil {
		return shape.Shape{}, err
	}
	first := plan.InstanceID{Stage: stage, Number: note.First(stage)}
	s, found, err := shape.Read(i.store.Instance(first.String()))
	if err == nil && !found {
		err = i.noStage(stage)
	}
	return s, err
}

func (i *Inspector) noStage(stage string) error {
	instances, err := i.store.Instances()
	if err != nil {
		return err
	}
	return shape.NoStage(i.pipeline, stage, plan.StagesOf(instances))
}

// view is what an instance has committed.
func (i *Inspector) view(ctx context.Context, of plan.InstanceID, s shape.Shape) (*view.View, error) {
	b, err := i.server(ctx, channel.StreamName(i.pipeline, of.Stage))
	if err != nil {
		return nil, err
	}
	ch, exists, err := channel.Find(ctx, b, channel.Spec{Pipeline: i.pipeline, Stage: of.Stage, Instance: of.Number, Keys: i.keys})
	if err == nil && !exists {
		err = i.noStage(of.Stage)
	}
	if err != nil {
		return nil, err
	}
	view := view.New(of.Stage, i.store.Instance(of.String()))
	return view, view.CatchUp(ctx, ch, s.Keyed)
}

// Close releases the directory, and removes the copies.
func (i *Inspector) Close() error {
	var err error
	if i.store != nil {
		err = i.store.Close()
	}
	for _, b := range []*broker.Broker{i.outside, i.inside} {
		if b != nil {
			b.Close()
		}
	}
	if i.copies != nil {
		err = errors.Join(err, i.copies.remove())
	}
	i.dir.Close()
	return err
}

// Stages returns the names of the pipeline's stages, sorted.
func (i *Inspector) Stages(ctx context.Context) ([]string, error) {
	if i.outside != nil {
		return channel.Stages(ctx, i.outside, i.pipeline)
	}
	streams, err := blocks.Streams(i.dir.Broker())
	if err != nil {
		return nil, fmt.Errorf("list the stages: %w", err)
	}
	names := make([]string, len(streams))
	for k, s := range streams {
		names[k] = s.Name
	}
	return channel.StagesOf(i.pipeline, names), nil
}
