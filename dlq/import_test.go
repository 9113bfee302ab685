package dlq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"penstock/internal/testing/natsserver"
)

// exported is what Export writes of a queue.
func exported(t *testing.T, q *Queue) string {
	t.Helper()
	var file strings.Builder
	if _, err := q.Export(t.Context(), Filter{}, &file); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

// imports takes lines into a queue, and returns what was refused, line by line.
func imports(t *testing.T, q *Queue, file string, o ImportOptions) (Imported, []error) {
	t.Helper()
	var refused []error
	o.Refused = func(line int, l Letter, err error) error {
		refused = append(refused, fmt.Errorf("%d %s: %w", line, l.ID(), err))
		return nil
	}
	n, err := q.Import(t.Context(), strings.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	return n, refused
}

// wantRefused wants every letter refused for a reason.
func wantRefused(t *testing.T, n Imported, refused []error, want int, reason error) {
	t.Helper()
	if n != (Imported{Refused: want}) || len(refused) != want {
		t.Fatalf("%+v, %v; want %d refused", n, refused, want)
	}
	for _, err := range refused {
		if !errors.Is(err, reason) {
			t.Errorf("%v, want %v", err, reason)
		}
	}
}

func TestImportStoresWhatTheQueueLost(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	q := open(t, js, testConfig())
	for _, l := range hostileLetters() {
		mustPut(t, q, l, true)
	}
	file := exported(t, q)
	if err := q.DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	q = open(t, js, testConfig()) // of the same run
	for _, want := range []Imported{{Stored: 6}, {There: 6}} {
		if n, refused := imports(t, q, file, ImportOptions{}); n != want {
			t.Fatalf("Import = %+v, %v; want %+v", n, refused, want)
		}
	}
	for _, want := range hostileLetters() {
		got, _, err := q.Get(t.Context(), want.ID())
		if err != nil || !bytes.Equal(got.Value, want.Value) || got.Key != want.Key || got.Round != max(want.Round, 1) {
			t.Errorf("%s: %d bytes, %v", want.ID(), len(got.Value), err)
		}
	}
}

func TestImportRefusesWhatIsSettled(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	for offset := range uint64(3) {
		mustPut(t, q, letterAt(offset), true)
	}
	file := exported(t, q)
	for offset := range uint64(2) {
		l := stored(t, q, letterAt(offset).ID())
		if err := q.Discard(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	n, refused := imports(t, q, file, ImportOptions{})
	if n != (Imported{There: 1, Refused: 2}) || len(refused) != 2 || !errors.Is(refused[0], ErrSettled) || !strings.HasPrefix(refused[1].Error(), "2 worker.0:generator.0:1: ") {
		t.Fatalf("%+v, %v", n, refused)
	}
	if n, refused := imports(t, q, file, ImportOptions{Force: true}); n != (Imported{Stored: 2, There: 1}) {
		t.Fatalf("forced: %+v, %v", n, refused)
	}
	// The letters that were forced are new writes: an export of them is not settled by the first.
	wantCount(t, q, 3)
}

func TestImportRefusesAnotherRun(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	other := open(t, natsserver.Start(t).JetStream(), Config{Pipeline: "fizzbuzz", Identity: "id-2"})
	file := exported(t, q)
	n, refused := imports(t, other, file, ImportOptions{})
	wantRefused(t, n, refused, 1, ErrOtherRun)
	unmarked := strings.Replace(file, `"queue":"`+q.mark+`"`, `"queue":""`, 1)
	if unmarked == file {
		t.Fatalf("no mark in %s", file)
	}
	n, refused = imports(t, other, unmarked, ImportOptions{})
	wantRefused(t, n, refused, 1, ErrOtherRun)
	if n, refused := imports(t, other, file, ImportOptions{Force: true}); n.Stored != 1 {
		t.Fatalf("forced: %+v, %v", n, refused)
	}
}

// knowing is a run that has taken the messages below taken.
type knowing struct {
	taken uint64
	blind error // it cannot look
}

func (k knowing) CheckLetter(_ context.Context, l Letter) error {
	if k.blind != nil {
		return k.blind
	}
	if l.Offset >= k.taken {
		return fmt.Errorf("%w offset", ErrInvalid)
	}
	return nil
}

func (k knowing) CheckReplay(_ context.Context, stage string, _ int, _ Letter) error {
	if stage != "worker" {
		return fmt.Errorf("%w stage", ErrInvalid)
	}
	return nil
}

func (knowing) Address(_ context.Context, _ string, instance int) (int, error) { return instance, nil }

func (k knowing) CheckValue(_ string, _ Letter, value []byte) error {
	if string(value) == "bad" {
		return fmt.Errorf("%w value", ErrInvalid)
	}
	return nil
}

func TestImportRefusesWhatTheRunCannotHave(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	mustPut(t, q, letterAt(2), true)
	file := exported(t, q)
	other := open(t, natsserver.Start(t).JetStream(), testConfig())
	other.Bind(knowing{taken: 2})
	for _, force := range []bool{false, true} {
		n, refused := imports(t, other, file, ImportOptions{Force: force})
		if n.Refused != 1 || len(refused) != 1 || !errors.Is(refused[0], ErrInvalid) || !strings.HasPrefix(refused[0].Error(), "2 ") {
			t.Errorf("force %v: %+v, %v", force, n, refused)
		}
	}
}

// A run that cannot look, such as while its server is away, refuses no letter.
func TestImportStopsWhenTheRunCannotLook(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	file := exported(t, q)
	other := open(t, natsserver.Start(t).JetStream(), testConfig())
	away := errors.New("away")
	other.Bind(knowing{taken: 2, blind: away})
	n, err := other.Import(t.Context(), strings.NewReader(file), ImportOptions{Force: true})
	if !errors.Is(err, away) || n != (Imported{}) {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestImportKeepsTheLetterThatIsThere(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	file := exported(t, q)
	other := open(t, natsserver.Start(t).JetStream(), testConfig())
	changed := letterAt(1)
	changed.Value = []byte("34")
	mustPut(t, other, changed, true)
	n, refused := imports(t, other, file, ImportOptions{Force: true})
	wantRefused(t, n, refused, 1, ErrConflict)
}

func TestImportNamesTheLine(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	line := func(l Letter) string {
		data, err := l.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	foreign, omitted := letterAt(2), letterAt(3)
	foreign.Pipeline, omitted.ValueOmitted = "other", true
	for bad, want := range map[string]string{
		"{": "JSON", line(foreign): "pipeline \"other\"", line(omitted): "without its value",
		`{"id":"x","key":7}`: `neither a string nor`, `{"id":7}`: `field "id" cannot be a number`, "[]": "a JSON array, not an object",
		"{}": "no dead letter of an export: it has no id", "null": "it has no id",
		strings.Replace(line(letterAt(4)), `"time":"`, `"time":"x`, 1):    `field "time" is "x0001`,
		strings.Replace(line(letterAt(5)), `"offset":5`, `"offset":6`, 1): `its id is "worker.0:generator.0:5"`,
	} {
		n, err := q.Import(t.Context(), strings.NewReader("\n"+line(letterAt(1))+"\n"+bad+"\n"), ImportOptions{Force: true})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "line 3 ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "dlq.") || n.Stored > 1 {
			t.Errorf("%s: %+v, %v; want %s", bad, n, err, want)
		}
	}
	endless := io.MultiReader(strings.NewReader("\n"), io.LimitReader(zeros{}, MaxLine+1))
	if _, err := q.Import(t.Context(), endless, ImportOptions{}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a long line: %v", err)
	}
}

func TestReplayRefusesWhatTheRunCannotTake(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	q.Bind(knowing{})
	mustPut(t, q, letterAt(1), true)
	l := stored(t, q, letterAt(1).ID())
	bad := []byte("bad")
	for _, o := range []ReplayOptions{{To: "gone"}, {Value: &bad}} {
		if err := q.Replay(t.Context(), l, o); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if pending, err := q.PendingReplays(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("pending: %v, %v", pending, err)
	}
	if err := q.Replay(t.Context(), l, ReplayOptions{}); err != nil {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// stored is the letter of an ID, which must be there.
func stored(t *testing.T, q *Queue, id string) Letter {
	t.Helper()
	l, found, err := q.Get(t.Context(), id)
	if err != nil || !found {
		t.Fatalf("Get(%s) = %v, %v", id, found, err)
	}
	return l
}
