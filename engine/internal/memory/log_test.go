package memory

import (
	"context"
	"errors"
	"sync"
	"testing"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// commit is a frame with some messages from an offset on.
func commit(t *testing.T, number, base uint64, messages int) []byte {
	t.Helper()
	section := frame.Section{Base: base}
	for range messages {
		section.Append(frame.Message{Time: 1, Value: []byte("value")})
	}
	data, err := frame.Append(nil, &frame.Frame{Epoch: 1, Commit: number, Sections: []frame.Section{section}}, frame.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// filled is a log of frames with one message each.
func filled(t *testing.T, n uint64) *Log {
	t.Helper()
	l := newLog("test", plan.Only("stage"))
	for k := range n {
		if sequence, err := l.Publish(commit(t, k+1, k, 1), k, channel.Trace{}).Result(); err != nil || sequence != k+1 {
			t.Fatalf("commit %d: sequence %d, %v", k+1, sequence, err)
		}
	}
	return l
}

func TestALogFences(t *testing.T) {
	t.Parallel()
	l := filled(t, 2)
	if _, err := l.Publish(commit(t, 3, 2, 1), 1, channel.Trace{}).Result(); !errors.Is(err, channel.ErrConflict) {
		t.Errorf("a commit behind another one than the last: %v", err)
	}
	if last, found, err := l.Last(t.Context()); err != nil || !found || last.Sequence != 2 {
		t.Errorf("the last is %d, %v, %v", last.Sequence, found, err)
	}
}

func TestALogIsTrimmedAndCut(t *testing.T) {
	t.Parallel()
	l, ctx := filled(t, 5), t.Context()
	sequences := func() (list []uint64) {
		if err := l.Replay(ctx, 0, func(rec channel.Record) error { list = append(list, rec.Sequence); return nil }); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if err := errors.Join(l.Trim(ctx, 3), l.Cut(ctx, 4)); err != nil {
		t.Fatal(err)
	}
	if list := sequences(); len(list) != 2 || list[0] != 3 || list[1] != 4 {
		t.Errorf("left are %v", list)
	}
	if err := l.Trim(ctx, 100); err != nil {
		t.Fatal(err)
	}
	if info, err := l.Info(ctx); err != nil || info.First != 4 || info.Last != 4 {
		t.Errorf("%+v, %v: the last commit stays", info, err)
	}
}

// read runs a reader until it has these messages, or is refused.
func read(t *testing.T, l *Log, position channel.Position, want uint64) (end uint64, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := l.Reader(channel.ReaderConfig{Name: "reader-0", Position: position, Prefetch: 2})
	refused := make(chan error, 1)
	go func() { refused <- r.Run(ctx) }()
	end = position.Offset
	for d := range r.Deliveries() {
		if end = max(end, d.Section.Next()); end >= want {
			stop()
		}
	}
	stop()
	return end, <-refused
}

func TestAReaderFollows(t *testing.T) {
	t.Parallel()
	l := filled(t, 10)
	var writing sync.WaitGroup
	writing.Go(func() {
		for k := uint64(10); k < 15; k++ { // while the first one reads
			if _, err := l.Publish(commit(t, k+1, k, 1), k, channel.Trace{}).Result(); err != nil {
				t.Error(err)
			}
		}
	})
	defer writing.Wait()
	for _, position := range []channel.Position{{}, {Offset: 7, Sequence: 8}, {Offset: 7, Sequence: 3}, {Offset: 7}} {
		if end, err := read(t, l, position, 15); err != nil || end != 15 {
			t.Errorf("from %+v: to %d, %v", position, end, err)
		}
	}
}

func TestAReaderRefuses(t *testing.T) {
	t.Parallel()
	l := filled(t, 5)
	if _, err := read(t, l, channel.Position{Offset: 6}, 7); !errors.Is(err, channel.ErrAhead) {
		t.Errorf("ahead of the channel: %v", err)
	}
	if err := l.Trim(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if end, err := read(t, l, channel.Position{Offset: 1, Sequence: 2}, 5); !errors.Is(err, channel.ErrGap) || end != 1 {
		t.Errorf("behind what was trimmed: to %d, %v", end, err)
	}
}
