package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
)

// A pipeline gets a key between two runs, and another one later. Without a key of its frames it is refused, which harms nothing.
func TestAKeyIsTurnedOnChangedAndForgotten(t *testing.T) {
	t.Parallel()
	const values = 400
	config := testConfig(t, t.TempDir())
	got := collect[uint64](t)
	steps := [][]string{nil, {"0123456789abcdef"}, {"fedcba9876543210", "0123456789abcdef"}, {"fedcba9876543210"}}
	run := func(secrets []string, until int) error {
		config.FrameKeys = nil
		for _, s := range secrets {
			config.FrameKeys = append(config.FrameKeys, []byte(s))
		}
		ctx, stop := bounded(t)
		defer stop()
		p := engine.New("keyed")
		all := count(values, 1)
		numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			if until < values && at.Next == uint64(until) { // a stage that has ended writes nothing with a new key
				<-ctx.Done()
				return ctx.Err()
			}
			return all(ctx, at, emit)
		})
		engine.Sink(p, "sink", numbers, func(c context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Offset+1 == uint64(until) {
				stop()
			}
			return got.sink(c, s, m)
		})
		return p.Run(ctx, config)
	}
	for k, secrets := range steps {
		if err := run(secrets, (k+1)*values/len(steps)); err != nil {
			t.Fatalf("with %v: %v", secrets, err)
		}
		if k == 0 {
			continue
		}
		for _, wrong := range [][]string{nil, {"a key of somebody else"}} {
			err := run(wrong, values)
			if !errors.Is(err, engine.ErrFrameKey) || strings.Contains(err.Error(), "Config.Fresh") {
				t.Fatalf("after %v, with %v: %v", secrets, wrong, err)
			}
		}
	}
	if err := run([]string{"short"}, values); err == nil || !strings.Contains(err.Error(), "needs 16") {
		t.Errorf("a short key: %v", err)
	}
	for k, v := range got.all() {
		if v != uint64(k) {
			t.Fatalf("value %d is %d", k, v)
		}
	}
	if len(got.all()) != values {
		t.Errorf("%d values", len(got.all()))
	}
}

// Who looks at frames that are authenticated needs the key, and is not deceived by forged ones.
func TestLookingNeedsTheFrameKey(t *testing.T) {
	t.Parallel()
	h := patient.NewHalted(t, false, "0123456789abcdef")
	look := func(secret string) (errs []error) {
		config := h.Config
		config.FrameKeys = nil
		if secret != "" {
			config.FrameKeys = [][]byte{[]byte(secret)}
		}
		_, err := doctor.Examine(t.Context(), config.ToInspect())
		errs = append(errs, err)
		_, err = doctor.Repair(t.Context(), config.ToInspect())
		errs = append(errs, err)
		i, err := inspect.Open(t.Context(), config.ToInspect())
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		return append(errs, i.State(t.Context(), "total", func(string, json.RawMessage) error { return nil }))
	}
	for _, wrong := range []string{"", "a key of another pipeline"} {
		for _, err := range look(wrong) {
			if !errors.Is(err, engine.ErrFrameKey) || !strings.Contains(err.Error(), "Config.FrameKeys") {
				t.Errorf("with the key %q: %v", wrong, err)
			}
		}
	}
	before := committedCount(t, h)
	for _, stage := range []string{"numbers", "total"} { // without the key this is a commit once more
		h.Publish(stage, func(last []byte) []byte { return last })
	}
	for _, err := range look("0123456789abcdef") {
		if err != nil {
			t.Error(err)
		}
	}
	e, err := doctor.Examine(t.Context(), h.Config.ToInspect())
	if err != nil || !e.Sound || !strings.Contains(strings.Join(e.Checked, "\n"), "with the key") {
		t.Errorf("%+v, %v", e, err)
	}
	if after := committedCount(t, h); after != before {
		t.Errorf("the state counts %d, and %d after a forged frame", before, after)
	}
	h.GoesOn()
}

func committedCount(t *testing.T, h *patient.Halted) (n int) {
	t.Helper()
	i, err := inspect.Open(t.Context(), h.Config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.State(t.Context(), "total", func(_ string, state json.RawMessage) error {
		var s total
		err := json.Unmarshal(state, &s)
		n = int(s.Count)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// The way back from authenticated frames is a new beginning: a complete run, and then a run without the key, or with --fresh.
func TestTheWayBackFromFrameKeys(t *testing.T) {
	t.Parallel()
	h := patient.NewHalted(t, false, "0123456789abcdef")
	h.GoesOn()
	h.Config.FrameKeys = nil
	ctx, stop := bounded(t)
	defer stop()
	if err := h.Wire(patient.HaltedValues, func(uint64) {}).Run(ctx, h.Config); !errors.Is(err, engine.ErrFrameKey) {
		t.Fatalf("without the key: %v", err)
	}
	h.Config.Fresh = true
	h.Forget()
	h.GoesOn()
	if e, err := doctor.Examine(t.Context(), h.Config.ToInspect()); err != nil || !e.Sound || strings.Contains(strings.Join(e.Checked, "\n"), "with the key") {
		t.Errorf("%+v, %v", e, err)
	}
}
