package patient

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/internal/testing/seen"
)

// Halted is a pipeline of 200 numbers that was stopped in the middle.
type Halted struct {
	t      *testing.T
	Config engine.Config
	got    *seen.Values[uint64]
	js     func(fn func(jetstream.JetStream)) // on the server that has its channels
}

// HaltedValues is how many it has.
const HaltedValues = 200

// NewHalted runs it on the embedded server, or on another one.
func NewHalted(t *testing.T, outside bool, secrets ...string) *Halted {
	t.Helper()
	h := &Halted{t: t, Config: Config(t.TempDir()), got: seen.New[uint64](t)}
	for _, s := range secrets {
		h.Config.FrameKeys = append(h.Config.FrameKeys, []byte(s))
	}
	h.js = func(fn func(jetstream.JetStream)) {
		b, err := broker.Open(t.Context(), broker.Config{Dir: filepath.Join(h.Config.Dir, "jetstream")})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		fn(b.JetStream())
	}
	if outside {
		url, js := outsideServer(t)
		h.Config.NATS.URL = url
		h.js = func(fn func(jetstream.JetStream)) { fn(js) }
	}
	ctx, stop := Bounded(t)
	defer stop()
	if err := h.Wire(HaltedValues/2, func(offset uint64) {
		if offset == HaltedValues/4 {
			stop()
		}
	}).Run(ctx, h.Config); err != nil {
		t.Fatal(err)
	}
	return h
}

// Wire has a source that waits after some numbers.
func (h *Halted) Wire(until uint64, seen func(offset uint64)) *engine.Pipeline {
	p := engine.New("halted")
	all := count(HaltedValues)
	numbers := engine.Source(p, "numbers", func(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
		if at.Next == until && until < HaltedValues {
			<-ctx.Done()
			return ctx.Err()
		}
		return all(ctx, at, emit)
	})
	engine.Sink(p, "total", numbers, func(ctx context.Context, s *total, m engine.Message[uint64]) error {
		s.Count, s.Sum = s.Count+1, s.Sum+m.Value
		seen(m.Offset)
		h.got.Add(m.Offset, m.Value)
		return nil
	})
	return p
}

// OnServer calls fn with the server that has its channels.
func (h *Halted) OnServer(fn func(jetstream.JetStream)) { h.js(fn) }

// Damage puts a message in the place of the last one of a stage.
func (h *Halted) Damage(stage string, data func(last []byte) []byte) {
	h.t.Helper()
	var last *jetstream.RawStreamMsg
	h.js(func(js jetstream.JetStream) {
		s, err := js.Stream(h.t.Context(), "halted+"+stage)
		if err == nil {
			last, err = s.GetLastMsgForSubject(h.t.Context(), "halted."+stage+".0")
		}
		if err == nil {
			err = s.DeleteMsg(h.t.Context(), last.Sequence)
			last.Header = nats.Header{jetstream.ExpectedLastSubjSeqHeader: []string{"0"}} // there was one: the others are trimmed
		}
		if err == nil {
			_, err = js.PublishMsg(h.t.Context(), &nats.Msg{Subject: last.Subject, Data: data(last.Data), Header: last.Header})
		}
		if err != nil {
			h.t.Fatal(err)
		}
	})
}

// Publish puts a message behind the last one of a stage as a commit is published,
// and gives the last one.
func (h *Halted) Publish(stage string, data func(last []byte) []byte) {
	h.t.Helper()
	h.js(func(js jetstream.JetStream) {
		s, err := js.Stream(h.t.Context(), "halted+"+stage)
		if err != nil {
			h.t.Fatal(err)
		}
		last, err := s.GetLastMsgForSubject(h.t.Context(), "halted."+stage+".0")
		if err != nil {
			h.t.Fatal(err)
		}
		if _, err := js.PublishMsg(h.t.Context(), &nats.Msg{Subject: last.Subject, Data: data(last.Data), Header: nats.Header{
			jetstream.ExpectedLastSubjSeqHeader: []string{strconv.FormatUint(last.Sequence, 10)},
		}}); err != nil {
			h.t.Fatal(err)
		}
	})
}

// GoesOn runs it to its end, which must be exact.
func (h *Halted) GoesOn() {
	h.t.Helper()
	ctx, stop := Bounded(h.t)
	defer stop()
	if err := h.Wire(HaltedValues, func(uint64) {}).Run(ctx, h.Config); err != nil {
		h.t.Fatal(err)
	}
	got := h.got.All()
	for k, n := range got {
		if n != uint64(k) {
			h.t.Fatalf("value %d is %d", k, n)
		}
	}
	if len(got) != HaltedValues {
		h.t.Errorf("%d values", len(got))
	}
}

// Forget makes the next run count from the first value.
func (h *Halted) Forget() { h.got = seen.New[uint64](h.t) }
