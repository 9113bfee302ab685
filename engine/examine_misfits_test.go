package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/doctor"
)

// halted is a pipeline of 200 numbers that was stopped in the middle.
type halted struct {
	t      *testing.T
	config engine.Config
	got    *collected[uint64]
	js     func(fn func(jetstream.JetStream)) // on the server that has its channels
}

const haltedValues = 200

// newHalted runs it on the embedded server, or on another one.
func newHalted(t *testing.T, outside bool, secrets ...string) *halted {
	t.Helper()
	h := &halted{t: t, config: testConfig(t, t.TempDir()), got: collect[uint64](t)}
	for _, s := range secrets {
		h.config.FrameKeys = append(h.config.FrameKeys, []byte(s))
	}
	h.js = func(fn func(jetstream.JetStream)) {
		b, err := broker.Open(t.Context(), broker.Config{Dir: filepath.Join(h.config.Dir, "jetstream")})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		fn(b.JetStream())
	}
	if outside {
		s, js := external(t)
		h.config.NATS.URL = s.ClientURL()
		h.js = func(fn func(jetstream.JetStream)) { fn(js) }
	}
	ctx, stop := bounded(t)
	defer stop()
	if err := h.wire(haltedValues/2, func(offset uint64) {
		if offset == haltedValues/4 {
			stop()
		}
	}).Run(ctx, h.config); err != nil {
		t.Fatal(err)
	}
	return h
}

// wire has a source that waits after some numbers.
func (h *halted) wire(until uint64, seen func(offset uint64)) *engine.Pipeline {
	p := engine.New("halted")
	all := count(haltedValues, 1)
	numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == until && until < haltedValues {
			<-ctx.Done()
			return ctx.Err()
		}
		return all(ctx, at, emit)
	})
	engine.Sink(p, "total", numbers, func(ctx context.Context, s *total, m engine.Message[uint64]) error {
		s.Count, s.Sum = s.Count+1, s.Sum+m.Value
		seen(m.Offset)
		return h.got.sink(ctx, nil, m)
	})
	return p
}

// publish puts a message behind the last one of a stage as a commit is published,
// and gives the last one.
func (h *halted) publish(stage string, data func(last []byte) []byte) {
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

// goesOn runs it to its end, which must be exact.
func (h *halted) goesOn() {
	h.t.Helper()
	ctx, stop := bounded(h.t)
	defer stop()
	if err := h.wire(haltedValues, func(uint64) {}).Run(ctx, h.config); err != nil {
		h.t.Fatal(err)
	}
	got := h.got.all()
	for k, n := range got {
		if n != uint64(k) {
			h.t.Fatalf("value %d is %d", k, n)
		}
	}
	if len(got) != haltedValues {
		h.t.Errorf("%d values", len(got))
	}
}

// What another client published like a commit, and is no frame, stops the stage.
// Repair takes it out, and nothing is lost.
func TestRepairTakesOutWhatIsNoFrame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outside bool
		secrets []string
	}{
		"embedded": {}, "outside": {outside: true},
		"embedded, with a key": {secrets: []string{"0123456789abcdef"}}, "outside, with a key": {true, []string{"0123456789abcdef"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHalted(t, c.outside, c.secrets...)
			garbage := func([]byte) []byte { return []byte("19 bytes of garbage") }
			h.publish("numbers", garbage)
			h.publish("numbers", func([]byte) []byte { return nil })
			h.publish("total", garbage)
			ctx, stop := bounded(t)
			defer stop()
			if err := h.wire(haltedValues, func(uint64) {}).Run(ctx, h.config); err == nil || !strings.Contains(err.Error(), "doctor.Repair") {
				t.Fatalf("the run: %v", err)
			}
			e, err := doctor.Examine(t.Context(), h.config.ToInspect())
			if err != nil || e.Sound || !e.Mendable || len(e.Steps) != 2 {
				t.Fatalf("%+v, %v", e, err)
			}
			if _, err := doctor.Repair(t.Context(), h.config.ToInspect()); err != nil {
				t.Fatal(err)
			}
			if e, err = doctor.Examine(t.Context(), h.config.ToInspect()); err != nil || !e.Sound {
				t.Fatalf("%+v, %v", e, err)
			}
			h.goesOn()
		})
	}
}

// What begins like a frame may be what is left of one: it is not taken out.
func TestRepairDoesNotTakeOutADamagedCommit(t *testing.T) {
	t.Parallel()
	for _, outside := range []bool{false, true} {
		h := newHalted(t, outside)
		h.publish("numbers", func(last []byte) []byte {
			damaged := append([]byte(nil), last...)
			damaged[len(damaged)/2] ^= 1
			return damaged
		})
		done, err := doctor.Repair(t.Context(), h.config.ToInspect())
		if !errors.Is(err, doctor.ErrNotMendable) {
			t.Errorf("%+v, %v", done, err)
		}
	}
}
