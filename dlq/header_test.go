package dlq

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"
)

func raw(msg *nats.Msg, sequence uint64) *jetstream.RawStreamMsg {
	return &jetstream.RawStreamMsg{Subject: msg.Subject, Header: msg.Header, Data: msg.Data, Sequence: sequence}
}

func TestEncodeDecode(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := anyLetter().Draw(t, "letter")
		lim := rapid.SampledFrom([]limits{fullLimits, smallLimits}).Draw(t, "limits")
		got, err := decode(raw(encode(l, lim, "w"), 7))
		if err != nil {
			t.Fatal(err)
		}
		want := l.stored(lim)
		want.Sequence = 7
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

// What comes back from a real server, over the wire and from its disk, is the letter that was put.
func TestServerKeepsLettersAsTheyAre(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		l := anyLetter().Draw(t, "letter")
		if l.At.IsZero() {
			l.At = l.At.Add(1)
		}
		if written, err := q.Put(ctx, l); errors.Is(err, ErrConflict) || err == nil && !written {
			t.Skip("the origin was drawn before")
		} else if err != nil {
			t.Fatal(err)
		}
		got, found, err := q.Get(ctx, l.ID())
		if err != nil || !found {
			t.Fatalf("Get = %v, %v", found, err)
		}
		want := l.stored(fullLimits)
		want.Sequence, want.Queue = got.Sequence, q.mark
		if got.Sequence == 0 || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestPayloadIsTheValue(t *testing.T) {
	t.Parallel()
	l := letterAt(33)
	l.Value, l.Key = []byte(`{"n":33}`), "user-17"
	msg := encode(l, fullLimits, "w")
	if string(msg.Data) != `{"n":33}` || msg.Header.Get("Penstock-Key") != `"user-17"` || msg.Header.Get("Penstock-Stage") != "worker" {
		t.Fatalf("data %q, header %v", msg.Data, msg.Header)
	}
	l.Key = strings.Repeat("k", 5000)
	if msg = encode(l, fullLimits, "w"); string(msg.Data) != `{"n":33}`+l.Key {
		t.Fatalf("data %q", msg.Data)
	}
	if string(l.Value) != `{"n":33}` {
		t.Fatal("the caller's value changed")
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*nats.Msg){
		"no headers":       func(m *nats.Msg) { m.Header = nil },
		"format 0":         func(m *nats.Msg) { m.Header.Set(headerFormat, "0") },
		"not a format":     func(m *nats.Msg) { m.Header.Set(headerFormat, "1.0") },
		"no offset":        func(m *nats.Msg) { m.Header.Del(headerOffset) },
		"other subject":    func(m *nats.Msg) { m.Subject += "0" },
		"other pipeline":   func(m *nats.Msg) { m.Header.Set(headerPipeline, "other") },
		"bad instance":     func(m *nats.Msg) { m.Header.Set(headerInstance, "x") },
		"no time":          func(m *nats.Msg) { m.Header.Del(headerTime) },
		"no reason":        func(m *nats.Msg) { m.Header.Del(headerReason) },
		"bad text":         func(m *nats.Msg) { m.Header.Set(headerError, "boom") },
		"bad attempts":     func(m *nats.Msg) { m.Header.Set(headerAttempts, "boom") },
		"key too long":     func(m *nats.Msg) { m.Header.Set(headerKeyBytes, "3") },
		"key of less":      func(m *nats.Msg) { m.Header.Set(headerKeyBytes, "-1") },
		"negative omitted": func(m *nats.Msg) { m.Header.Set(headerOmitted, "-1") },
	} {
		msg := encode(letterAt(33), fullLimits, "w")
		if _, err := decode(raw(msg, 1)); err != nil {
			t.Fatalf("a good letter: %v", err)
		}
		spoil(msg)
		if _, err := decode(raw(msg, 1)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
}
