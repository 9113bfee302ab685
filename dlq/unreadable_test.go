package dlq

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"penstock/internal/format"
)

// publishGarbage puts what is no letter between two letters.
func publishGarbage(t *testing.T, q *Queue) (sequences []uint64) {
	t.Helper()
	mustPut(t, q, letterAt(0), true)
	newer := nats.Header{}
	newer.Set(headerFormat, strconv.Itoa(format.Letter+1))
	wrong := nats.Header{}
	wrong.Set(headerFormat, strconv.Itoa(format.Letter))
	wrong.Set(headerReason, "\x1b[2J")
	wrong.Set(headerKeyBytes, "-5")
	for _, msg := range []*nats.Msg{
		{Subject: "fizzbuzz.worker.0.dead.generator.0.50", Data: []byte("by hand")},
		{Subject: "fizzbuzz.worker.0.dead.generator.0.51"},
		{Subject: "fizzbuzz.worker.0.dead.x", Data: []byte("of another shape")},
		{Subject: "fizzbuzz.\x1b.0.dead.a.b.c.d.e", Data: []byte("of no stage")},
		{Subject: "fizzbuzz.worker.0.dead.generator.0.52", Header: wrong},
		{Subject: "fizzbuzz.worker.0.dead.generator.0.53", Header: newer},
	} {
		ack, err := q.js.PublishMsg(t.Context(), msg)
		if err != nil {
			t.Fatal(err)
		}
		sequences = append(sequences, ack.Sequence)
	}
	mustPut(t, q, letterAt(1), true)
	return sequences
}

func TestWhatCannotBeReadIsListedAmongTheOthers(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	sequences := publishGarbage(t, q)
	for name, selectBy := range map[string]func(context.Context, Filter, func(Letter) error) error{
		"Select": q.Select, "SelectInOrder": q.SelectInOrder,
	} {
		for _, withoutValues := range []bool{false, true} {
			var bad, good []uint64
			err := selectBy(t.Context(), Filter{Unreadable: true, WithoutValues: withoutValues}, func(l Letter) error {
				if !l.Unreadable {
					good = append(good, l.Offset)
					return nil
				}
				bad = append(bad, l.Sequence)
				if l.Reason != ReasonUnreadable || l.Error == "" || l.At.IsZero() || l.ValueOmitted != (withoutValues && l.ValueBytes > 0) {
					t.Errorf("%+v", l)
				}
				return nil
			})
			slices.Sort(bad)
			if err != nil || !slices.Equal(good, []uint64{0, 1}) || !slices.Equal(bad, sequences) {
				t.Errorf("%s: %v, letters %v, unreadable %v, want %v", name, err, good, bad, sequences)
			}
		}
	}
	n := 0
	if err := q.Select(t.Context(), Filter{Unreadable: true, Stage: "worker", Reason: ReasonUnreadable}, func(Letter) error { n++; return nil }); err != nil || n != 5 {
		t.Errorf("of a stage: %d, %v", n, err)
	}
	counts, err := q.CountBy(t.Context())
	if err != nil || !slices.Contains(counts, Count{"worker", ReasonUnreadable, 5}) || !slices.Contains(counts, Count{"worker", ReasonPanic, 2}) {
		t.Errorf("%v, %v", counts, err)
	}
}

func TestWhatCannotBeReadIsLookedAtAndDiscarded(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	sequences := publishGarbage(t, q)
	l, found, err := q.Get(t.Context(), "unreadable:2")
	if err != nil || !found || string(l.Value) != "by hand" || l.Stage != "worker" || !strings.Contains(l.Error, "generator.0.50") {
		t.Fatalf("%+v, %v, %v", l, found, err)
	}
	if err := q.Replay(t.Context(), l, ReplayOptions{}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "discarded") {
		t.Errorf("Replay = %v", err)
	}
	if _, err := q.Put(t.Context(), l); !errors.Is(err, ErrInvalid) {
		t.Errorf("Put = %v", err)
	}
	for id, want := range map[string]bool{"unreadable:1": false, "unreadable:99": false, l.ID(): true} {
		if _, found, err := q.Get(t.Context(), id); found != want || err != nil {
			t.Errorf("%s: %v, %v", id, found, err)
		}
	}
	for _, id := range []string{"unreadable:", "unreadable:0", "unreadable:02", "unreadable:-1"} {
		if _, _, err := q.Get(t.Context(), id); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", id, err)
		}
	}
	data, err := json.Marshal(l)
	var back Letter
	if err == nil {
		err = json.Unmarshal(data, &back)
	}
	if err != nil || back.ID() != l.ID() || !back.Unreadable {
		t.Errorf("%s, %v", data, err)
	}
	if err := q.Discard(t.Context(), back); err != nil { // by the ID alone
		t.Fatal(err)
	}
	if _, found, err := q.Get(t.Context(), l.ID()); found || err != nil {
		t.Errorf("it is still there: %v", err)
	}
	wantCount(t, q, uint64(len(sequences))+1)
	err = q.Select(t.Context(), Filter{Unreadable: true, Reason: ReasonUnreadable, WithoutValues: true}, func(l Letter) error { return q.Discard(t.Context(), l) })
	if err != nil {
		t.Fatal(err)
	}
	wantCount(t, q, 2)
}

// A letter is not kept out of its place by what someone published there; what a
// newer version wrote stays.
func TestALetterTakesThePlaceOfGarbage(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	publishGarbage(t, q)
	for _, offset := range []uint64{50, 51, 52} {
		mustPut(t, q, letterAt(offset), true)
		mustPut(t, q, letterAt(offset), false)
	}
	if _, err := q.Put(t.Context(), letterAt(53)); !errors.Is(err, ErrNewerVersion) {
		t.Errorf("Put in the place of a newer letter = %v", err)
	}
}

func TestAWatchShowsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	sequences := publishGarbage(t, q)
	var got []uint64
	done := errors.New("all have come")
	err := q.Follow(t.Context(), Filter{Unreadable: true}, func(l Letter) error {
		if l.Unreadable {
			got = append(got, l.Sequence)
		} else if l.Offset == 1 {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) || !slices.Equal(got, sequences) {
		t.Errorf("%v, %v, want %v", err, got, sequences)
	}
}
