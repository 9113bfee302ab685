package connector_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"testing"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/stages/connector"
)

// shaky is a reader and a writer that is away at first, and whose call fails once.
type shaky struct {
	*counts
	isOpen bool
}

// counts are those of all that were made.
type counts struct {
	made, opened, closed atomic.Int32
	away, failures       atomic.Int32 // still to come
	written              []int
}

func (c *counts) another() *shaky {
	c.made.Add(1)
	return &shaky{counts: c}
}

func (s *shaky) About() connector.About { return connector.About{Name: "shaky"} }

func (s *shaky) Open(context.Context) error {
	if s.away.Add(-1) >= 0 {
		return engine.Unavailable(errors.New("away"))
	}
	s.opened.Add(1)
	s.isOpen = true
	return nil
}

func (s *shaky) Close() error {
	if s.isOpen {
		s.closed.Add(1)
	}
	s.isOpen = false
	return nil
}

func (s *shaky) call() error {
	if !s.isOpen {
		return engine.Fatal(errors.New("it is used and not open"))
	}
	if s.failures.Add(-1) >= 0 {
		return errors.New("it failed")
	}
	return nil
}

func (s *shaky) Read(_ context.Context, next *int, emit engine.Emit[int]) error {
	if err := s.call(); err != nil {
		return err
	}
	if *next == 3 {
		return io.EOF
	}
	emit(*next)
	*next++
	return nil
}

func (s *shaky) Write(_ context.Context, sum *int, batch []engine.Message[int]) error {
	if err := s.call(); err != nil {
		return err
	}
	for _, m := range batch {
		*sum += m.Value
		s.written = append(s.written, m.Value)
	}
	return nil
}

// Each start of a stage has a reader or writer of its own, which is closed; what is away at the start costs no attempt.
func TestOpenAndClose(t *testing.T) {
	t.Parallel()
	var in, out counts
	for _, c := range []*counts{&in, &out} {
		c.away.Store(2)
		c.failures.Store(1)
	}
	p := engine.New("shaky")
	quick := p.With(enginetest.FastRestarts())
	numbers := connector.Source(quick, "in", func() connector.Reader[int, int] { return in.another() })
	connector.Sink(quick, "out", numbers, func() connector.Writer[int, int] { return out.another() })
	status := enginetest.Run(t, p, enginetest.NewMemory().In)
	for name, c := range map[string]*counts{"in": &in, "out": &out} {
		at := enginetest.Stage(t, status, name)
		if c.made.Load() != 4 || c.opened.Load() != 2 || c.closed.Load() != 2 || at.Unavailable != 2 || at.Errors != 1 {
			t.Errorf("%s: %d made, %d opened, %d closed, %d times away, %d errors", name, c.made.Load(), c.opened.Load(), c.closed.Load(), at.Unavailable, at.Errors)
		}
	}
	if !slices.Equal(out.written, []int{0, 1, 2}) {
		t.Errorf("written: %v", out.written)
	}
}
