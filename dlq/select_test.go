package dlq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func selected(t *testing.T, q *Queue, f Filter) []string {
	t.Helper()
	var list []string
	if err := q.Select(t.Context(), f, func(l Letter) error { list = append(list, l.ID()); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSelectFilters(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("k", 5000)
	for i, l := range []Letter{
		{Origin: Origin{Stage: "a", Input: "in", Offset: 1}, Content: Content{Key: "k1"}, Cause: Cause{Reason: ReasonPanic, Panic: "Index OUT of range"}},
		{Origin: Origin{Stage: "a", Input: "in/bad", Offset: 2}, Content: Content{Key: long}, Cause: Cause{Reason: ReasonError, Error: "no route"}},
		{Origin: Origin{Stage: "b", Input: "in", Offset: 3}, Cause: Cause{Reason: ReasonKilled}, Rounds: Rounds{Round: 3}},
		{Origin: Origin{Stage: "b", Input: "a", Offset: 4}, Content: Content{Value: []byte("v")}, Cause: Cause{Reason: ReasonError}},
	} {
		l.At = noon.Add(time.Duration(i) * time.Minute)
		mustPut(t, q, l, true)
	}
	ids := []string{"a.0:in.0:1", "a.0:in/bad.0:2", "b.0:in.0:3", "b.0:a.0:4"}
	for name, c := range map[string]struct {
		f    Filter
		want []int
	}{
		"all":       {Filter{}, []int{0, 1, 2, 3}},
		"ids":       {Filter{IDs: []string{ids[3], ids[0], ids[0], "b.0:in.0:99"}}, []int{0, 3}},
		"ids of":    {Filter{IDs: []string{ids[3], ids[0]}, Stage: "b"}, []int{3}},
		"stage":     {Filter{Stage: "a"}, []int{0, 1}},
		"input":     {Filter{Input: "in"}, []int{0, 2}},
		"branch":    {Filter{Input: "in/bad"}, []int{1}},
		"reason":    {Filter{Reason: ReasonKilled}, []int{2}},
		"since":     {Filter{Since: noon.Add(time.Minute)}, []int{1, 2, 3}},
		"until":     {Filter{Until: noon.Add(time.Minute)}, []int{0}},
		"key":       {Filter{Key: "k1"}, []int{0}},
		"long key":  {Filter{Key: long}, []int{1}},
		"panic":     {Filter{Error: "out OF"}, []int{0}},
		"error":     {Filter{Error: "ROUTE"}, []int{1}},
		"round":     {Filter{MinRound: 2}, []int{2}},
		"both":      {Filter{Stage: "b", Input: "in", Reason: ReasonError}, nil},
		"no values": {Filter{Reason: ReasonError, WithoutValues: true}, []int{1, 3}},
	} {
		var want []string
		for _, i := range c.want {
			want = append(want, ids[i])
		}
		if got := selected(t, q, c.f); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, f := range []Filter{{Stage: "*"}, {Input: "a.b"}, {Reason: "a b"}, {IDs: []string{"x"}}} {
		if err := q.Select(t.Context(), f, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", f, err)
		}
	}
}

func TestSelectWithAndWithoutValues(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := letterAt(1)
	l.Key, l.Value = strings.Repeat("k", 5000), []byte("\x1b[2J\xff")
	mustPut(t, q, l, true)
	for _, f := range []Filter{{}, {IDs: []string{l.ID()}}, {WithoutValues: true}, {WithoutValues: true, IDs: []string{l.ID()}}} {
		n := 0
		err := q.Select(t.Context(), f, func(got Letter) error {
			n++
			if got.ValueOmitted != f.WithoutValues || (got.Value == nil) != f.WithoutValues || got.ValueBytes != len(l.Value) || got.Key != l.Key {
				t.Errorf("%+v: %q, omitted %v, %d bytes", f, got.Value, got.ValueOmitted, got.ValueBytes)
			}
			if _, err := q.Put(t.Context(), got); f.WithoutValues != errors.Is(err, ErrInvalid) {
				t.Errorf("Put = %v", err)
			}
			return nil
		})
		if err != nil || n != 1 {
			t.Errorf("%+v: %d letters, %v", f, n, err)
		}
	}
}

// More than a batch, with gaps, a changing queue and a callback that ends it.
func TestSelectMany(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	const all = 3*scanBatch + 7
	for offset := range uint64(all) {
		mustPut(t, q, letterAt(offset), true)
	}
	if err := q.stream.DeleteMsg(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	err := q.Select(t.Context(), Filter{WithoutValues: true}, func(l Letter) error {
		if l.Offset != n {
			t.Fatalf("offset %d, want %d", l.Offset, n)
		}
		n++
		mustPut(t, q, letterAt(10_000+l.Offset), true)
		return nil
	})
	if err != nil || n != all-1 {
		t.Fatalf("%d letters, %v", n, err)
	}
	stop := errors.New("stop")
	if err := q.Select(t.Context(), Filter{}, func(Letter) error { return stop }); err != stop {
		t.Fatalf("Select = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = q.Select(ctx, Filter{}, func(Letter) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Select = %v, want context.Canceled", err)
	}
	if info, err := q.stream.Info(t.Context()); err != nil || info.State.Consumers != 0 {
		t.Fatalf("%d consumers left, %v", info.State.Consumers, err)
	}
}

// The server forgets the consumer in the middle; nothing is skipped or given twice.
func TestSelectGoesOnWithoutItsConsumer(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	q.retry.first = time.Millisecond
	const all = 2 * scanBatch
	for offset := range uint64(all) {
		mustPut(t, q, letterAt(offset), true)
	}
	n := uint64(0)
	err := q.Select(t.Context(), Filter{WithoutValues: true}, func(l Letter) error {
		if l.Offset != n {
			t.Fatalf("offset %d, want %d", l.Offset, n)
		}
		if n++; n == 10 {
			for name := range q.stream.ConsumerNames(t.Context()).Name() {
				if err := q.stream.DeleteConsumer(t.Context(), name); err != nil {
					t.Error(err)
				}
			}
		}
		return nil
	})
	if err != nil || n != all {
		t.Fatalf("%d letters, %v", n, err)
	}
}

func TestSelectNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(0), true)
	if _, err := q.js.Publish(t.Context(), "fizzbuzz.worker.0.dead.generator.0.50", []byte("by hand")); err != nil {
		t.Fatal(err)
	}
	mustPut(t, q, letterAt(1), true)
	for name, selectBy := range map[string]func(context.Context, Filter, func(Letter) error) error{
		"Select": q.Select, "SelectInOrder": q.SelectInOrder,
	} {
		n := 0
		err := selectBy(t.Context(), Filter{}, func(Letter) error { n++; return nil })
		if !errors.Is(err, ErrDamaged) || n != 2 || !strings.Contains(err.Error(), "sequence 2:") {
			t.Errorf("%s: %d letters, %v", name, n, err)
		}
	}
}

func TestSelectInOrder(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	put := []uint64{5, 3, 9, 4, 0, 8, 1, 7, 2, 6}
	for _, offset := range put {
		l := letterAt(offset)
		mustPut(t, q, l, true)
		l.Stage = "logger"
		mustPut(t, q, l, true)
	}
	mustPut(t, q, nextRound(letterAt(3), "3"), true)
	for _, atOnce := range []int{1, 2, 3, 10, 1000} {
		q.placesAtOnce = atOnce
		var got []string
		err := q.SelectInOrder(t.Context(), Filter{}, func(l Letter) error {
			got = append(got, fmt.Sprint(l.Stage, l.Offset, l.ValueOmitted))
			return nil
		})
		var want []string
		for _, stage := range []string{"worker", "logger"} {
			for offset := range 10 {
				want = append(want, fmt.Sprint(stage, offset, false))
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%d at once: %v, %v", atOnce, got, err)
		}
	}
	var got []uint64
	ids := []string{letterAt(7).ID(), letterAt(3).ID(), letterAt(5).ID()}
	err := q.SelectInOrder(t.Context(), Filter{IDs: ids}, func(l Letter) error { got = append(got, l.Offset); return nil })
	if err != nil || !slices.Equal(got, []uint64{3, 5, 7}) {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestCountBy(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	if got, err := q.CountBy(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("%v, %v", got, err)
	}
	for offset := range uint64(5) {
		l := letterAt(offset)
		if offset > 2 {
			l.Stage, l.Reason = "logger", ReasonError
		}
		if offset == 0 {
			l.Reason = ReasonKilled
		}
		mustPut(t, q, l, true)
	}
	want := []Count{{"logger", ReasonError, 2}, {"worker", ReasonKilled, 1}, {"worker", ReasonPanic, 2}}
	if got, err := q.CountBy(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %v; want %v", got, err, want)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	mustPut(t, q, letterAt(2), true)
	old, _, _ := q.Get(t.Context(), letterAt(1).ID())
	mustPut(t, q, nextRound(old, "1"), true)
	if err := q.Discard(t.Context(), old); err != nil { // replaced since
		t.Fatal(err)
	}
	wantCount(t, q, 2)
	wrong, _, _ := q.Get(t.Context(), letterAt(2).ID())
	wrong.Offset = 7
	if err := q.Discard(t.Context(), wrong); err != nil { // another letter has its sequence
		t.Fatal(err)
	}
	wantCount(t, q, 2)
	l, _, _ := q.Get(t.Context(), letterAt(1).ID())
	for range 2 {
		if err := q.Discard(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		wantCount(t, q, 1)
	}
	if err := q.Discard(t.Context(), letterAt(2)); !errors.Is(err, ErrInvalid) {
		t.Fatalf("Discard of a letter that was not read: %v, want ErrInvalid", err)
	}
}
