package channel

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

func TestTraceTravelsWithTheFrame(t *testing.T) {
	t.Parallel()
	const parent, state = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1"
	long := strings.Repeat("x", maxTrace+1)
	for name, test := range map[string]struct{ sent, got Trace }{
		"none":             {},
		"both":             {Trace{parent, state}, Trace{parent, state}},
		"no state":         {Trace{Parent: parent}, Trace{Parent: parent}},
		"state alone":      {Trace{State: state}, Trace{}},
		"too long":         {Trace{long, state}, Trace{}},
		"state too long":   {Trace{parent, long}, Trace{Parent: parent}},
		"is not looked at": {Trace{Parent: "garbage"}, Trace{Parent: "garbage"}},
	} {
		header := nats.Header{}
		size := test.sent.addTo(header)
		if got := traceOf(header); got != test.got {
			t.Errorf("%s: %+v, want %+v", name, got, test.got)
		}
		if name == "none" && (len(header) > 0 || size > 0) {
			t.Errorf("no trace takes %d bytes: %v", size, header)
		}
		if least := len(test.got.Parent) + len(test.got.State); size < least {
			t.Errorf("%s: %d bytes for %d", name, size, least)
		}
	}
	if got := traceOf(nats.Header{parentHeader: {parent, parent}}); got != (Trace{}) {
		t.Errorf("of two parents: %+v", got)
	}
}

func TestNoTraceNoCost(t *testing.T) {
	header := nats.Header{}
	if allocated := testing.AllocsPerRun(1000, func() {
		if (Trace{}).addTo(header) != 0 || traceOf(header) != (Trace{}) {
			t.Error("there is one")
		}
	}); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// A reader gets the trace that the writer sent, also with the largest frame that then fits.
func TestReaderGetsTheTrace(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	trace := Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", State: strings.Repeat("s", maxTrace)}
	size := trace.addTo(nats.Header{})
	w := newWriter(t, c)
	empty := len(w.encodeNext("", 1, 8, nil))
	most := int(b.MaxPayload()) - headerOverhead - size - empty
	w = newWriter(t, c)
	if _, err := c.Publish(w.encodeNext("", 1, most+64, nil), 0, trace).Result(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a frame too large: %v", err)
	}
	w = newWriter(t, c)
	if _, err := c.Publish(w.encodeNext("", 1, most, nil), 0, trace).Result(); err != nil {
		t.Fatal(err)
	}
	r := startReader(t, c, ReaderConfig{})
	if d := r.take(); d.Trace != trace {
		t.Errorf("%+v", d.Trace)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}
