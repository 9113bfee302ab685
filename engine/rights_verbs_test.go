package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/doctor"
	"penstock/engine/inspect"
)

// halfRejecting is a pipeline that rejects a message, and whose source waits in the middle until it is released.
func halfRejecting(isWhole bool, seen func(uint64)) *engine.Pipeline {
	p := engine.New("orders")
	numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		switch {
		case at.Next == 20:
			return io.EOF
		case at.Next == 10 && !isWhole:
			<-ctx.Done()
			return ctx.Err()
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	engine.Sink(p, "sink", numbers, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error {
		if m.Value == 1 {
			return engine.Reject(errors.New("not this one"))
		}
		*sum += m.Value
		seen(m.Value)
		return nil
	})
	return p
}

// With the documented rights a damaged channel is repaired, and letters are exported, discarded and imported again.
func TestRightsAreEnoughForRepairAndLetters(t *testing.T) {
	t.Parallel()
	all := halfRejecting(true, nil).Rights("")
	s := authorized(t, all)
	config := asLimited(t, s, t.TempDir())
	ctx, stop := bounded(t)
	defer stop()
	if err := halfRejecting(false, func(n uint64) {
		if n == 9 {
			stop()
		}
	}).Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	publishGarbageAsCommit(t, s.ClientURL(), "orders+numbers", "orders.numbers.0")
	if _, err := doctor.Repair(t.Context(), config.ToInspect()); err != nil {
		t.Fatal(err)
	}
	exportDiscardImport(t, config)
	if err := runBounded(t, halfRejecting(true, func(uint64) {}), config); err != nil {
		t.Fatal(err)
	}
	i, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if sum := inspectedState[uint64](t, i, "sink")[""]; sum != 19*20/2-1 {
		t.Errorf("the sum is %d", sum)
	}
}

// publishGarbageAsCommit stops a stage until its channel is repaired.
func publishGarbageAsCommit(t *testing.T, url, stream, subject string) {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{URL: url, User: "admin", Password: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	last, err := b.JetStream().Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	end, err := last.GetLastMsgForSubject(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	header := nats.Header{jetstream.ExpectedLastSubjSeqHeader: []string{strconv.FormatUint(end.Sequence, 10)}}
	if _, err := b.JetStream().PublishMsg(t.Context(), &nats.Msg{Subject: subject, Data: []byte("19 bytes of garbage"), Header: header}); err != nil {
		t.Fatal(err)
	}
}

// exportDiscardImport takes the only letter out of its queue, and puts it back.
func exportDiscardImport(t *testing.T, config engine.Config) {
	t.Helper()
	withLettersOf(t, config, func(queue *dlq.Queue) {
		var file bytes.Buffer
		if n, err := queue.Export(t.Context(), dlq.Filter{}, &file); err != nil || n != 1 {
			t.Fatalf("exported %d: %v", n, err)
		}
		err := queue.Each(t.Context(), func(l dlq.Letter) error { return queue.Discard(t.Context(), l) })
		if err != nil {
			t.Fatal(err)
		}
		if n, err := queue.Import(t.Context(), &file, dlq.ImportOptions{Force: true}); err != nil || n.Stored != 1 {
			t.Errorf("imported %+v: %v", n, err)
		}
	})
}
