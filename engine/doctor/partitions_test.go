package doctor_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/doctor"
	"penstock/internal/testing/patient"
)

// dividedDir is the directory of a pipeline with partitions that was stopped in the middle, or has come to its end.
func dividedDir(t *testing.T, isComplete bool) string {
	t.Helper()
	const values = 600
	p := engine.New("divided")
	ctx, stop := patient.Bounded(t)
	key := func(v uint64) string { return strconv.FormatUint(v%50, 10) }
	numbers := engine.Source(p, "values", func(ctx context.Context, at *uint64, emit engine.Emit[uint64]) error {
		if *at == values && isComplete {
			return io.EOF
		}
		if *at == values {
			<-ctx.Done()
			return ctx.Err()
		}
		emit(*at)
		*at++
		return nil
	})
	odd := engine.Branch[uint64](p, "odd")
	sums := engine.Stage(p.With(engine.Partitions(3), engine.Branches(odd)), "sums", engine.On(engine.KeyBy(numbers, key),
		func(ctx context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			switch *sum += m.Value; {
			case m.Value == 123:
				return engine.Reject(errors.New("poison"))
			case m.Value%2 == 1:
				odd.Emit(ctx, m.Value)
			default:
				emit(m.Value)
			}
			return nil
		}))
	again := engine.Stage(p.With(engine.Partitions(2)), "again", engine.On(engine.KeyBy(sums, key),
		func(_ context.Context, n *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			*n++
			emit(m.Value)
			return nil
		}))
	count := func(_ context.Context, n *uint64, _ engine.Message[uint64]) error {
		*n++
		return nil
	}
	engine.Sink(p, "even", again, count)
	engine.Sink(p, "odd", &odd.Stream, count)
	dir := t.TempDir()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, patient.Config(dir)) }()
	if !isComplete {
		patient.Within(t, "all of it", func() bool {
			n := uint64(0)
			for _, s := range p.Status().Stages {
				if s.Name == "even" || s.Name == "odd" {
					n += s.In
				}
			}
			return n == values-1
		})
		stop()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return dir
}

// Each instance of a stage has frames, checkpoints and positions of its own.
func TestADirectoryWithPartitionsIsSound(t *testing.T) {
	t.Parallel()
	for _, isComplete := range []bool{false, true} {
		e, err := doctor.Examine(t.Context(), patient.Config(dividedDir(t, isComplete)).ToInspect())
		if err != nil || !e.Sound {
			t.Fatalf("complete %t: %+v, %v", isComplete, e, err)
		}
		for _, part := range []string{"channel values:", "channel sums.0:", "channel sums.1:", "channel sums.2:", "channel again.1:", "positions of 5 stages with 8 instances"} {
			if !slices.ContainsFunc(e.Checked, func(c string) bool { return strings.HasPrefix(c, part) }) {
				t.Errorf("complete %t: not checked: %s: %q", isComplete, part, e.Checked)
			}
		}
	}
}

// What is wrong with an instance is found, named, and mended where that is possible.
func TestWhatIsWrongWithAPartitionIsNamed(t *testing.T) {
	t.Parallel()
	dir := dividedDir(t, false)
	config := patient.Config(dir).ToInspect()
	onLast(t, dir, "divided+sums", "divided.sums.1", func(js jetstream.JetStream, _ jetstream.Stream, last *jetstream.RawStreamMsg) error {
		_, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: last.Subject, Data: []byte("garbage"), Header: nats.Header{
			jetstream.ExpectedLastSubjSeqHeader: []string{strconv.FormatUint(last.Sequence, 10)},
		}})
		return err
	})
	e, err := doctor.Repair(t.Context(), config)
	if err != nil || len(e.Findings) == 0 || e.Findings[0].Part != "channel sums.1" {
		t.Fatalf("garbage: %+v, %v", e.Examination, err)
	}
	onLast(t, dir, "divided+sums", "divided.sums.1", func(_ jetstream.JetStream, s jetstream.Stream, last *jetstream.RawStreamMsg) error {
		return s.DeleteMsg(t.Context(), last.Sequence)
	})
	found, err := doctor.Examine(t.Context(), config)
	if err != nil || found.Sound || found.Findings[0].Part != "channel sums.1" {
		t.Errorf("a lost commit: %+v, %v", found, err)
	}
}

// onLast calls fn with the last message of a subject of a stopped pipeline.
func onLast(t *testing.T, dir, stream, subject string, fn func(jetstream.JetStream, jetstream.Stream, *jetstream.RawStreamMsg) error) {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{Dir: filepath.Join(dir, "jetstream")})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, err := b.JetStream().Stream(t.Context(), stream)
	var last *jetstream.RawStreamMsg
	if err == nil {
		last, err = s.GetLastMsgForSubject(t.Context(), subject)
	}
	if err == nil {
		err = fn(b.JetStream(), s, last)
	}
	if err != nil {
		t.Fatal(err)
	}
}
