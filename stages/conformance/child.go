package conformance

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/internal/pause"
	"penstock/stages"
)

const childVariable = "PENSTOCK_CONFORMANCE_CHILD"

// The stages of a pipeline that is tested.
const (
	pipelineName = "conformance"
	tested       = "tested" // the connector
	feeding      = "feed"   // before a sink
	checking     = "check"  // behind a source: it rejects values, and ends the pipeline
	keeping      = "keep"   // behind that, into a file
)

// order says what a pipeline is to do, in this process or in a child.
type order struct {
	Connector string
	Address   string
	Dir       string // of the data
	NATS      string // the server of its channels; "": embedded
	Fresh     bool

	Output  string        // of a source: the file
	Values  int           // of a sink
	Pause   time.Duration // between some of them
	Rejects bool          // values that end with an x are rejected
	Large   int           // bytes of one value in the middle, of a sink; 0: none
}

// end is the value behind which a pipeline of a source ends.
var end = []byte("the end")

// Child is the whole program in a process that a test of the connectors has started. In any other it returns at once.
// Call it first in TestMain, with all connectors that are tested.
func Child(connectors ...Connector) {
	text := os.Getenv(childVariable)
	if text == "" {
		return
	}
	if err := runChild(text, connectors); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runChild(text string, connectors []Connector) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("read the order of the test: %w", err)
	}
	for _, c := range connectors {
		if c.name() != o.Connector {
			continue
		}
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		config := o.config(slog.New(slog.NewTextHandler(os.Stderr, nil)))
		config.OnReady = func() error {
			_, err := fmt.Println("ready")
			return err
		}
		return o.pipeline(c).Run(ctx, config)
	}
	return fmt.Errorf("the connector %q is not given to conformance.Child", o.Connector)
}

func (o order) config(log *slog.Logger) engine.Config {
	return engine.Config{Dir: o.Dir, NATS: engine.NATS{URL: o.NATS}, Fresh: o.Fresh, Logger: log, DrainTimeout: 5 * time.Second, MinFree: -1}
}

func (o order) pipeline(c Connector) *engine.Pipeline {
	p := engine.New(pipelineName)
	c.declare(o, p)
	return p
}

// quick has a test wait less.
var quick = engine.Options(
	engine.RestartBackoff(supervise.Backoff{Initial: 5 * time.Millisecond, Max: 50 * time.Millisecond}),
	engine.UnavailableBackoff(supervise.Backoff{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}),
)

// errRejected is what a value that ends with an x meets.
var errRejected = errors.New("the test rejects it")

func (o order) isRejected(value []byte) bool {
	return o.Rejects && len(value) > 0 && value[len(value)-1] == 'x'
}

// declare reads with the source, and writes what it got into a file, each value as a line.
func (s Source) declare(o order, p *engine.Pipeline) {
	in := s.Declare(p.With(quick), tested, o.Address)
	checked := engine.Stage(p.With(quick), checking, engine.On(in,
		func(_ context.Context, _ *struct{}, m engine.Message[[]byte], emit engine.Emit[[]byte]) error {
			switch {
			case string(m.Value) == string(end):
				return io.EOF
			case o.isRejected(m.Value):
				return engine.Reject(errRejected)
			}
			emit(m.Value)
			return nil
		}))
	stages.FileSink(p, keeping, checked, o.Output, func(dst []byte, value []byte) []byte {
		return append(hex.AppendEncode(dst, value), '\n')
	})
}

// declare writes numbered values with the sink.
func (s Sink) declare(o order, p *engine.Pipeline) {
	values := engine.Source(p, feeding, func(ctx context.Context, next *int, emit engine.Emit[[]byte]) error {
		for range 20 {
			if *next == o.Values {
				return io.EOF
			}
			emit(o.value(*next))
			*next++
		}
		return pause.For(ctx, o.Pause)
	})
	s.Declare(p.With(quick), tested, o.Address, values.WithCodec(rejecting{engine.DefaultCodec[[]byte](), o}))
}

// rejecting cannot decode what is to be rejected: so the sink rejects it, whatever it does with values.
type rejecting struct {
	engine.Codec[[]byte]
	order order
}

// Decode fails for what the order rejects.
func (r rejecting) Decode(data []byte) ([]byte, error) {
	if r.order.isRejected(data) {
		return nil, errRejected
	}
	return r.Codec.Decode(data)
}

// value is the nth of a sink.
func (o order) value(n int) []byte {
	switch {
	case o.Large > 0 && n == 1:
		return []byte{}
	case o.Large > 0 && n == 2:
		return make([]byte, o.Large)
	}
	return number(n)
}

// number is a value that differs from others. Each hundredth ends with an x.
func number(n int) []byte {
	if n%100 == 50 {
		return fmt.Appendf(nil, "%07dx", n)
	}
	return fmt.Appendf(nil, "%07d", n)
}
