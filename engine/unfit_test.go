package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/observe"
	"penstock/internal/testing/patient"
)

const tooLargeValue = 9 << 20

// misfits emits 0 to 9 as blobs, four a call, with 3 and 6 too large.
func misfits(p engine.Scope) *engine.Stream[[]byte] {
	return engine.Source(p, "blobs", func(_ context.Context, at *Place, emit engine.Emit[[]byte]) error {
		for range 4 {
			switch at.Next {
			case 10:
				return io.EOF
			case 3, 6:
				emit(bytes.Repeat([]byte{byte('0' + at.Next)}, tooLargeValue), engine.WithKey("large"))
			default:
				emit([]byte{byte('0' + at.Next)})
			}
			at.Next++
		}
		return nil
	})
}

// text is what a sink has seen, in order.
func text(p engine.Scope, in *engine.Stream[[]byte]) {
	engine.Sink(p, "sink", in, func(_ context.Context, s *string, m engine.Message[[]byte]) error {
		*s += string(m.Value)
		return nil
	})
}

// A value of a source that cannot be sent stops the pipeline with an error that
// tells the way out, and with the option the next run gets past it.
func TestValueThatCannotBeSentStopsItsSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wire := func(options ...engine.Option) *engine.Pipeline {
		p := engine.New("stops")
		text(p, misfits(p.With(options...)))
		return p
	}
	for range 2 {
		p := wire()
		err := runFailing(t, p, dir)
		var tooLarge *engine.TooLargeError
		if !errors.As(err, &tooLarge) || tooLarge.Stream != "blobs" || tooLarge.Size != tooLargeValue || !strings.Contains(err.Error(), "engine.OnUnfit") {
			t.Fatalf("error %v", err)
		}
	}
	p := wire(fast, engine.OnUnfit(engine.StopStage))
	if err := runFailing(t, p, dir); !strings.Contains(err.Error(), "source call 0") || stageStatus(t, p.Status(), "blobs").State != "given up" {
		t.Errorf("error %v, %+v", err, p.Status())
	}
	run(t, wire(engine.OnUnfit(engine.DeadLetter)), dir)
	if s := committedState[string](t, dir, "sink")[""]; s != "01245789" {
		t.Errorf("the sink has %s", s)
	}
}

// It becomes a letter that tells where it comes from, or is dropped and counted.
func TestSourceGoesOnWithoutAValueThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for limit, letters := range map[engine.Limit]uint64{engine.DeadLetter: 2, engine.DropMessage: 0} {
		dir := t.TempDir()
		p := engine.New("without")
		text(p, misfits(p.With(engine.OnUnfit(limit))))
		s := stageStatus(t, run(t, p, dir), "blobs")
		if s.Out != 8 || s.DeadLetters != letters || s.Dropped != 2-letters || s.Restarts != 0 {
			t.Errorf("%+v", s)
		}
		if got := committedState[string](t, dir, "sink")[""]; got != "01245789" {
			t.Errorf("the sink has %s", got)
		}
		kept := lettersIn(t, dir, "without")
		if uint64(len(kept)) != letters {
			t.Errorf("%d letters", len(kept))
		}
		for n, l := range kept {
			if want := []string{"blobs.0:blobs.0:0", "blobs.0:blobs.0:1"}[n]; l.ID() != want || l.Key != "large" || l.Reason != dlq.ReasonTooLarge {
				t.Errorf("%+v", l)
			}
			if want := strings.Repeat([]string{"3", "6"}[n], 64<<10); string(l.Value) != want || !strings.Contains(l.Error, "keeps the first 65536 bytes") || l.Codec != "bytes" {
				t.Errorf("%d bytes, %s, %s", len(l.Value), l.Codec, l.Error)
			}
		}
	}
}

// What the codec refuses, by an error or a panic, is the same.
func TestValueThatItsCodecRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := engine.New("refused")
	numbers := engine.Source(p.With(engine.OnUnfit(engine.DeadLetter)), "numbers", func(_ context.Context, at *Place, emit engine.Emit[sum]) error {
		for range 10 {
			v := sum{N: int(at.Next)}
			if at.Next%4 == 1 {
				v.Sum = math.NaN()
			}
			emit(v)
			at.Next++
		}
		return io.EOF
	}).WithCodec(engine.JSON[sum]())
	broken := engine.Source(p.With(engine.OnUnfit(engine.DeadLetter)), "broken", func(_ context.Context, _ *Place, emit engine.Emit[fragile]) error {
		emit(fragile{Broken: true})
		emit(fragile{N: 1})
		return io.EOF
	}).WithCodec(brittle{})
	n := 0
	engine.Sink(p, "sink", numbers, func(context.Context, *struct{}, engine.Message[sum]) error { n++; return nil })
	engine.Sink(p, "other", broken, func(context.Context, *struct{}, engine.Message[fragile]) error { return nil })
	status := run(t, p, dir)
	if s := stageStatus(t, status, "numbers"); s.Out != 7 || n != 7 || s.DeadLetters != 3 {
		t.Errorf("%d received, %+v", n, s)
	}
	if s := stageStatus(t, status, "broken"); s.Out != 1 || s.DeadLettersBy["panic"] != 1 {
		t.Errorf("%+v", s)
	}
	for _, l := range lettersIn(t, dir, "refused") {
		var want string
		if want = "encode a value for numbers as json"; l.Stage == "broken" {
			want = "no text for this"
		}
		if !strings.Contains(l.Error, want) || l.Offset != 0 {
			t.Errorf("%+v", l)
		}
	}
}

// A source rejects what it can make no value of: the call stands.
func TestSourceRejects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := []string{"1", "2", "three", "4", strings.Repeat("x", tooLargeValue), "6"}
	p := engine.New("rejects")
	numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, emit engine.Emit[[]byte]) error {
		for at.Next < uint64(len(lines)) {
			line := lines[at.Next]
			at.Next++
			if len(line) != 1 {
				return engine.RejectValue([]byte(line), errors.New("no number"))
			}
			emit([]byte(line))
		}
		return io.EOF
	})
	text(p, numbers)
	s := stageStatus(t, run(t, p, dir), "numbers")
	if got := committedState[string](t, dir, "sink")[""]; got != "1246" || s.DeadLetters != 2 || s.FailedAttempts != 0 {
		t.Errorf("the sink has %s, %+v", got, s)
	}
	letters := lettersIn(t, dir, "rejects")
	if len(letters) != 2 || letters[0].ID() != "numbers.0:numbers.0:0" || string(letters[0].Value) != "three" || letters[0].Error != "no number" ||
		letters[0].Reason != dlq.ReasonRejected || len(letters[1].Value) != 64<<10 || !strings.HasPrefix(letters[1].Error, "no number; the dead letter keeps") {
		t.Errorf("%d letters: %+v", len(letters), letters[0])
	}
}

// A source function may learn that a value cannot be sent, and do otherwise. So
// it may fill a call as far as it goes.
func TestTryToEmit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := engine.New("try")
	odd := engine.Branch[sum](p, "odd")
	odd.WithCodec(engine.JSON[sum]())
	blobs := engine.Source(p.With(engine.Branches(odd)), "blobs", func(ctx context.Context, at *Place, emit engine.Emit[[]byte]) error {
		for ; at.Next < 20; at.Next++ {
			err := emit.Try(make([]byte, 1<<20))
			var tooLarge *engine.TooLargeError
			switch {
			case errors.As(err, &tooLarge) && tooLarge.Stream == "":
				return nil // the rest in the next call
			case err != nil:
				return err
			}
		}
		var tooLarge *engine.TooLargeError
		if err := emit.Try(make([]byte, tooLargeValue)); !errors.As(err, &tooLarge) || tooLarge.Stream != "blobs" {
			t.Errorf("error %v", err)
		}
		if err := odd.TryEmit(ctx, sum{Sum: math.Inf(1)}); err == nil || !strings.Contains(err.Error(), "blobs/odd") {
			t.Errorf("error %v", err)
		}
		if err := odd.TryEmit(ctx, sum{Sum: 1}, engine.WithKey("k")); err != nil {
			t.Error(err)
		}
		return io.EOF
	})
	engine.Sink(p, "sink", blobs, func(_ context.Context, n *int, _ engine.Message[[]byte]) error { *n++; return nil })
	engine.Sink(p, "odd", &odd.Stream, func(_ context.Context, n *int, m engine.Message[sum]) error { *n++; return nil })
	s := stageStatus(t, run(t, p, dir), "blobs")
	if s.Out != 21 || s.DeadLetters+s.Dropped+s.FailedAttempts != 0 {
		t.Errorf("%+v", s)
	}
	if n := committedState[int](t, dir, "sink")[""]; n != 20 {
		t.Errorf("%d values", n)
	}
}

// A value that just fits is not too large because of what the call before it
// emitted, which could not be committed yet: it is committed alone.
func TestLargeValueOfASourceIsCommittedAlone(t *testing.T) {
	t.Parallel()
	p := engine.New("alone")
	isTaken := false
	blobs := engine.Source(p, "blobs", func(_ context.Context, at *Place, emit engine.Emit[[]byte]) error {
		switch at.Next++; at.Next {
		case 1: // it fills the channel
			emit(nil)
			emit(nil)
		case 2:
			emit(make([]byte, 400<<10))
		case 3:
			emit(make([]byte, 8<<20-4<<10-64<<10))
		case 4:
			return io.EOF
		}
		return nil
	}).WithCapacity(engine.Capacity{Messages: 2})
	engine.Sink(p, "sink", blobs, func(_ context.Context, n *int, _ engine.Message[[]byte]) error {
		if !isTaken { // the channel is full until the large call has returned, and waits for those before it
			patient.Within(t, "a large call that waits", func() bool {
				return slices.ContainsFunc(p.Status().Stages[0].Waits, func(w observe.Wait) bool {
					return w.For == "batch" && strings.Contains(w.Detail, "large call")
				})
			})
		}
		isTaken = true
		*n++
		return nil
	})
	if s := stageStatus(t, run(t, p, t.TempDir()), "blobs"); s.Out != 4 {
		t.Errorf("%+v", s)
	}
}

// A crash between the letter of such a value and the commit of its call makes
// the same call and the same letter again. Where the source does not repeat
// itself both letters are there, and nothing is lost.
func TestCrashBetweenALetterOfASourceAndItsCommit(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]byte{"the same": '3', "another": '7'} {
		dir, crashed := t.TempDir(), t.TempDir()
		wire := func(large byte) *engine.Pipeline {
			p := engine.New("crash")
			blobs := engine.Source(p.With(engine.OnUnfit(engine.DeadLetter)), "blobs", func(_ context.Context, at *Place, emit engine.Emit[[]byte]) error {
				switch at.Next++; at.Next {
				case 3:
					emit(bytes.Repeat([]byte{large}, tooLargeValue))
				case 6:
					return io.EOF
				default:
					emit([]byte{byte('0' + at.Next)})
				}
				return nil
			})
			text(p, blobs)
			return p
		}
		config := testConfig(t, dir)
		config.OnDeadLetter = func(dlq.Letter) {
			if err := copyLive(crashed, dir); err != nil {
				t.Error(err)
			}
		}
		if err := runBounded(t, wire('3'), config); err != nil {
			t.Fatal(err)
		}
		s := stageStatus(t, run(t, wire(second), crashed), "blobs")
		letters := lettersIn(t, crashed, "crash")
		if got := committedState[string](t, crashed, "sink")[""]; got != "1245" || s.Out != 4 {
			t.Errorf("%s: the sink has %s, %+v", name, got, s)
		}
		want := map[byte]string{'3': "blobs.0:blobs.0:2"}
		if second != '3' {
			want[second] = "blobs.0:blobs.1048576:2"
		}
		if len(letters) != len(want) {
			t.Fatalf("%s: %d letters", name, len(letters))
		}
		for _, l := range letters {
			if l.ID() != want[l.Value[0]] {
				t.Errorf("%s: %s", name, l.ID())
			}
		}
	}
}
