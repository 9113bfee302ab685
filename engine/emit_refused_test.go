package engine_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
)

// A value that a stage emits and its codec cannot keep makes a letter of the message, which names the field.
func TestValueThatCannotBeEncodedIsALetterWithItsField(t *testing.T) {
	t.Parallel()
	p := engine.New("field")
	parcels := engine.Stage(p.With(fast), "parcels", engine.On(engine.Source(p, "numbers", count(10, 3)),
		func(_ context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[parcel]) error {
			switch m.Value {
			case 3:
				emit(parcel{Rates: map[string]float64{"x": math.NaN()}})
			case 6:
				emit(parcel{ID: "caf\xe9"})
			default:
				emit(parcel{})
			}
			return nil
		})).WithCodec(engine.JSON[parcel]())
	engine.Sink(p, "sink", parcels, func(_ context.Context, n *int, _ engine.Message[parcel]) error { *n++; return nil })
	dir := t.TempDir()
	run(t, p, dir)
	if n := committedState[int](t, dir, "sink")[""]; n != 8 {
		t.Errorf("%d values came", n)
	}
	letters := lettersIn(t, dir, "field")
	if len(letters) != 2 {
		t.Fatalf("%d letters", len(letters))
	}
	for k, want := range []string{`field .Rates["x"] (float64)`, "field .ID (string)"} {
		if l := letters[k]; l.Offset != uint64(3+3*k) || l.Stage != "parcels" || !strings.Contains(l.Error, want) {
			t.Errorf("%s is not in %+v", want, l)
		}
	}
}

// Many rejected messages of one kind are a few lines of the log, and their number.
func TestRejectedMessagesDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	p := engine.New("flood")
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(200, 20)), func(context.Context, *struct{}, engine.Message[uint64]) error {
		return engine.Reject(errPoison)
	})
	log := &logged{}
	config := testConfig(t, t.TempDir())
	config.Logger = log.logger()
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	text := log.String()
	if lines := strings.Count(text, "a message became a dead letter"); lines > 6 || lines == 0 {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	if !strings.Contains(text, "count=195") || stageStatus(t, p.Status(), "sink").DeadLettersBy[string(dlq.ReasonRejected)] != 200 {
		t.Errorf("they are not counted: %+v\n%s", p.Status(), text)
	}
}
