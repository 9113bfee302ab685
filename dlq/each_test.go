package dlq

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestEachIsOldestFirst(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	want := []uint64{5, 3, 4, 0}
	for _, offset := range want {
		mustPut(t, q, letterAt(offset), true)
	}
	if got, err := offsets(t.Context(), q); err != nil || !slices.Equal(got, want) {
		t.Fatalf("Each gave %v, %v; want %v", got, err, want)
	}
}

func TestEachOfNothing(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	if got, err := offsets(t.Context(), q); err != nil || len(got) != 0 {
		t.Fatalf("Each gave %v, %v", got, err)
	}
	mustPut(t, q, letterAt(1), true)
	if err := q.stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := offsets(t.Context(), q); err != nil || len(got) != 0 {
		t.Fatalf("Each gave %v, %v after a purge", got, err)
	}
}

func TestEachEndsWhereItBegan(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(0), true)
	mustPut(t, q, letterAt(1), true)
	seen := uint64(0)
	err := q.Each(t.Context(), func(l Letter) error {
		seen++
		mustPut(t, q, letterAt(100+l.Offset), true)
		return nil
	})
	if err != nil || seen != 2 {
		t.Fatalf("%d letters, %v; want the 2 from before", seen, err)
	}
}

func TestEachPassesOverWhatIsDeleted(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	for offset := range uint64(5) {
		mustPut(t, q, letterAt(offset), true)
	}
	var got []uint64
	err := q.Each(t.Context(), func(l Letter) error {
		got = append(got, l.Offset)
		if l.Offset == 1 {
			for _, sequence := range []uint64{3, 5} {
				if err := q.stream.DeleteMsg(t.Context(), sequence); err != nil {
					return err
				}
			}
			mustPut(t, q, letterAt(100), true)
		}
		return nil
	})
	if want := []uint64{0, 1, 3}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("Each gave %v, %v; want %v", got, err, want)
	}
}

func TestEachReturnsTheErrorOfItsFunction(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(0), true)
	mustPut(t, q, letterAt(1), true)
	stop, calls := errors.New("stop"), 0
	err := q.Each(t.Context(), func(Letter) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Fatalf("Each = %v after %d calls", err, calls)
	}
}

func TestEachNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(0), true)
	for i := range 12 {
		if _, err := q.js.Publish(t.Context(), fmt.Sprintf("fizzbuzz.worker.0.dead.generator.0.%d", 50+i), []byte("by hand")); err != nil {
			t.Fatal(err)
		}
	}
	mustPut(t, q, letterAt(1), true)
	got, err := offsets(t.Context(), q)
	if !slices.Equal(got, []uint64{0, 1}) {
		t.Errorf("Each gave %v", got)
	}
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "12 of the messages") || !strings.Contains(err.Error(), "2, 3, 4") {
		t.Errorf("Each = %v, want ErrDamaged with the sequences", err)
	}
	if _, _, err := q.Get(t.Context(), "worker.0:generator.0:50"); !errors.Is(err, ErrDamaged) {
		t.Errorf("Get = %v, want ErrDamaged", err)
	}
	mustPut(t, q, letterAt(50), true) // in the place of it
	if l, found, err := q.Get(t.Context(), letterAt(50).ID()); err != nil || !found || string(l.Value) != string(letterAt(50).Value) {
		t.Errorf("Get = %+v, %v, %v", l, found, err)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	l := letterAt(7)
	l.Input = "parse/bad"
	mustPut(t, q, l, true)
	if got, found, err := q.Get(t.Context(), "worker.0:parse/bad.0:7"); err != nil || !found || got.Input != "parse/bad" || got.Sequence != 1 {
		t.Fatalf("Get = %+v, %v, %v", got, found, err)
	}
	if _, found, err := q.Get(t.Context(), "worker.0:parse/bad.0:8"); err != nil || found {
		t.Fatalf("Get of none = %v, %v", found, err)
	}
	if _, _, err := q.Get(t.Context(), "worker.0:*.0:8"); !errors.Is(err, ErrInvalid) {
		t.Fatalf("Get of a wildcard: %v, want ErrInvalid", err)
	}
}

func TestReadingAfterTheStreamIsGone(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	if err := q.DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := offsets(t.Context(), q); err == nil {
		t.Error("Each found nothing and said so to nobody")
	}
	if _, _, err := q.Get(t.Context(), letterAt(1).ID()); err == nil {
		t.Error("Get found nothing and said so to nobody")
	}
	if _, err := q.Count(t.Context()); err == nil {
		t.Error("Count found nothing and said so to nobody")
	}
}
