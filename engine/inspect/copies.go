package inspect

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"penstock/engine/broker"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/scratch"
)

// smallCopy is how large the channels of a directory may be, in bytes, to be copied
// all at once.
const smallCopy = 64 << 20

// copies are what is looked at of a data directory whose server does not run: to
// open the store or the server changes their files.
type copies struct {
	of      *datadir.Directory
	scratch *scratch.Dir
	whole   bool // every stream is small enough
	servers []copied
}

type copied struct {
	streams []string
	broker  *broker.Broker
}

func newCopies(of *datadir.Directory) (*copies, error) {
	dir, err := scratch.Make(scratch.ForLook)
	if err != nil {
		return nil, err
	}
	return &copies{of: of, scratch: dir}, nil
}

func (c *copies) remove() error {
	for _, s := range c.servers {
		s.broker.Close()
	}
	return c.scratch.Remove()
}

func (c *copies) checkpoints() (string, error) {
	to := filepath.Join(c.scratch.Path, "checkpoints")
	return to, c.tree(c.of.Checkpoints(), to)
}

func (c *copies) tree(from, to string) error {
	if err := datadir.CopyTree(from, to, datadir.ToMemory); err != nil {
		return fmt.Errorf("%w (the check needs space in %s; set $TMPDIR to use another directory)", err, filepath.Dir(c.scratch.Path))
	}
	return nil
}

// server starts one on a copy of the streams with these names.
func (c *copies) server(ctx context.Context, config Config, pipeline string, names []string) (*broker.Broker, error) {
	for _, s := range c.servers {
		if c.whole || slices.Equal(s.streams, names) {
			return s.broker, nil
		}
	}
	size, err := blocks.TreeSize(c.of.Broker())
	if err != nil && datadir.Exists(c.of.Broker()) {
		return nil, fmt.Errorf("look at the channels: %w", err)
	}
	c.whole = size <= smallCopy
	to := filepath.Join(c.scratch.Path, strconv.Itoa(len(c.servers)))
	if err := c.streams(to, names); err != nil {
		return nil, err
	}
	b, err := broker.Open(ctx, config.broker(pipeline, to))
	if err != nil {
		return nil, err
	}
	c.servers = append(c.servers, copied{names, b})
	return b, nil
}

func (c *copies) streams(to string, names []string) error {
	streams, err := blocks.Streams(c.of.Broker())
	if err != nil {
		return fmt.Errorf("look at the channels: %w", err)
	}
	for _, s := range streams {
		if !c.whole && !slices.Contains(names, s.Name) {
			continue
		}
		at, err := filepath.Rel(c.of.Broker(), s.Dir)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(to, at)), 0o700)
		}
		if err == nil {
			err = c.tree(s.Dir, filepath.Join(to, at))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
