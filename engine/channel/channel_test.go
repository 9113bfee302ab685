package channel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"penstock/engine/broker"
	"penstock/engine/frame"

	"github.com/nats-io/nats.go/jetstream"
)

func TestOpenCreatesAndFindsAgain(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	s := spec()
	s.MaxBytes = 1 << 20
	c := openChannel(t, b, s)
	cfg := c.mustStream(t).CachedInfo().Config
	if cfg.Name != "fizzbuzz+generator" || cfg.Subjects[0] != "fizzbuzz.generator.*" || cfg.MaxBytes != 1<<20 ||
		cfg.Discard != jetstream.DiscardNew || cfg.AllowDirect || cfg.Storage != jetstream.FileStorage || cfg.Duplicates != 2*time.Minute {
		t.Errorf("settings: %+v", cfg)
	}
	if c.Identity() != "id-1" {
		t.Errorf("identity %q", c.Identity())
	}
	newWriter(t, c).write(3)

	if changed, err := openChannel(t, b, s).Restore(testContext(t)); changed || err != nil {
		t.Errorf("nothing was changed, Restore says %v, %v", changed, err)
	}
	found, ok, err := Lookup(testContext(t), b, "fizzbuzz", "generator")
	if err != nil || !ok || found.Identity() != "id-1" {
		t.Errorf("Lookup: %v, %v", ok, err)
	}
	if _, ok, err := Lookup(testContext(t), b, "fizzbuzz", "nobody"); ok || err != nil {
		t.Errorf("Lookup of what is not there: %v, %v", ok, err)
	}
	info, err := c.Info(testContext(t))
	if err != nil || info.First != 1 || info.Last != 1 || info.Frames != 1 || info.Bytes == 0 {
		t.Errorf("Info: %+v, %v", info, err)
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	openChannel(t, b, spec())
	other := spec()
	other.Identity = "id-2"
	_, err := Open(testContext(t), b, other)
	wantError(t, err, ErrForeign, "id-1", "id-2", "fizzbuzz+generator")
	other.Identity = ""
	if c := openChannel(t, b, other); c.Identity() != "id-1" {
		t.Errorf("identity is now %q", c.Identity())
	}
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	for _, s := range []Spec{{}, {Pipeline: "a.b", Stage: "c"}, {Pipeline: "a", Stage: "c+d"}, {Pipeline: "a", Stage: "b", Instance: -1}} {
		if _, err := Open(testContext(t), b, s); err == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}

func TestSettingsAreRestored(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	j := &journal{}
	s := spec()
	s.Logger = j.logger()
	c := openChannel(t, b, s)
	newWriter(t, c).write(1)
	edit := func(change func(*jetstream.StreamConfig)) {
		cfg := c.mustStream(t).CachedInfo().Config
		change(&cfg)
		if _, err := b.JetStream().UpdateStream(testContext(t), cfg); err != nil {
			t.Fatal(err)
		}
	}
	edit(func(cfg *jetstream.StreamConfig) {
		cfg.MaxMsgs, cfg.MaxBytes, cfg.Discard = 7, 1<<20, jetstream.DiscardOld
		cfg.MaxAge, cfg.AllowDirect, cfg.MaxMsgSize = time.Hour, true, 1000
		cfg.Metadata["penstock.stage"] = "other"
		cfg.Metadata["mine"] = "stays"
		cfg.Subjects = []string{"elsewhere.*"}
		cfg.Description = "stays"
	})
	if changed, err := c.Restore(testContext(t)); !changed || err != nil {
		t.Fatalf("Restore: %v, %v", changed, err)
	}
	cfg := c.mustStream(t).CachedInfo().Config
	if cfg.MaxMsgs != -1 || cfg.MaxBytes != -1 || cfg.Discard != jetstream.DiscardNew || cfg.MaxAge != 0 || cfg.AllowDirect ||
		cfg.MaxMsgSize != -1 || cfg.Subjects[0] != "fizzbuzz.generator.*" || cfg.Metadata["penstock.stage"] != "generator" {
		t.Errorf("not restored: %+v", cfg)
	}
	if cfg.Description != "stays" || cfg.Metadata["mine"] != "stays" {
		t.Errorf("changed what is none of its business: %+v", cfg)
	}
	if n := j.count("restored"); n != 1 || j.count("max_msgs, max_bytes") != 1 {
		t.Errorf("logged %d times", n)
	}
	if rec, found, err := c.Last(testContext(t)); !found || err != nil || rec.Sequence != 1 {
		t.Errorf("Last: %+v, %v, %v", rec, found, err)
	}

	edit(func(cfg *jetstream.StreamConfig) { cfg.DenyPurge = true })
	_, err := c.Restore(testContext(t))
	wantError(t, err, ErrSettings, "deny_purge", "fizzbuzz+generator")
}

func TestStreamLost(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	w := newWriter(t, c)
	w.write(1)
	if err := c.Delete(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(testContext(t)); err != nil {
		t.Errorf("delete again: %v", err)
	}
	_, err := c.Restore(testContext(t))
	wantError(t, err, ErrStreamLost, "fizzbuzz+generator")
	_, _, err = c.Last(testContext(t))
	wantError(t, err, ErrStreamLost)
	_, err = c.Info(testContext(t))
	wantError(t, err, ErrStreamLost)
	wantError(t, c.Trim(testContext(t), 5), ErrStreamLost)
	wantError(t, c.Replay(testContext(t), 1, nil), ErrStreamLost)
	_, err = c.Publish(w.encodeNext("", 1, 0, nil), w.last, Trace{}).Result()
	wantError(t, err, ErrUnknown, "fizzbuzz+generator")
}

func TestDeleteAll(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	for _, name := range [][2]string{{"fizzbuzz", "a"}, {"fizzbuzz", "b"}, {"fizz", "a"}} {
		openChannel(t, b, Spec{Pipeline: name[0], Stage: name[1]})
	}
	letters := jetstream.StreamConfig{Name: "letters", Subjects: []string{"letters"}, Metadata: map[string]string{"penstock.pipeline": "fizzbuzz"}}
	if _, err := b.JetStream().CreateStream(testContext(t), letters); err != nil {
		t.Fatal(err)
	}
	if err := DeleteAll(testContext(t), b, "fizzbuzz"); err != nil {
		t.Fatal(err)
	}
	var left []string
	for name := range b.JetStream().StreamNames(testContext(t)).Name() {
		left = append(left, name)
	}
	if len(left) != 1 || left[0] != "fizz+a" {
		t.Errorf("left: %v", left)
	}
}

func TestOpenWaitsForTheServer(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	b := e.broker(t)
	e.Stop()
	opened := make(chan error, 1)
	go func() {
		_, err := Open(testContext(t), b, spec())
		opened <- err
	}()
	e.Again()
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	e.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, b, spec())
	wantError(t, err, context.DeadlineExceeded, "fizzbuzz+generator")
}

func TestLastAndReplay(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	if _, found, err := c.Last(testContext(t)); found || err != nil {
		t.Fatalf("Last of an empty channel: %v, %v", found, err)
	}
	w := newWriter(t, c)
	other := newWriter(t, c.Instance(1))
	var want []uint64
	const frames = 600
	for range frames {
		want = append(want, w.write(2))
		other.write(1)
	}
	rec, found, err := c.Last(testContext(t))
	if err != nil || !found || rec.Sequence != w.last || rec.Frame.Commit != frames || rec.Size == 0 || rec.Time.IsZero() {
		t.Fatalf("Last: %+v, %v, %v", rec, found, err)
	}
	for _, from := range []int{0, 1, 599} {
		var got []uint64
		err := c.Replay(testContext(t), want[from], func(r Record) error {
			if r.Frame.Commit != uint64(from+len(got)+1) {
				return fmt.Errorf("commit %d at place %d", r.Frame.Commit, len(got))
			}
			got = append(got, r.Sequence)
			return nil
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want[from:]) {
			t.Fatalf("Replay from %d: %d frames, %v", from, len(got), err)
		}
	}
	if err := c.Replay(testContext(t), w.last+1, func(Record) error { return errors.New("called") }); err != nil {
		t.Errorf("Replay behind the end: %v", err)
	}
	enough := errors.New("enough")
	if err := c.Replay(testContext(t), 0, func(Record) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Replay returns %v", err)
	}
	for name := range c.mustStream(t).ConsumerNames(testContext(t)).Name() {
		t.Errorf("consumer %s is left over", name)
	}
}

func TestReplayGoesOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	c := openChannel(t, e.broker(t), spec())
	w := newWriter(t, c)
	frames := uint64(400)
	if testing.Short() {
		frames = 120
	}
	for range frames {
		w.publish(w.encodeNext("", 1, 100_000, nil))
	}
	var next uint64
	err := c.Replay(testContext(t), 1, func(r Record) error {
		if next++; r.Sequence != next {
			return fmt.Errorf("sequence %d, want %d", r.Sequence, next)
		}
		if next == 50 {
			e.Stop()
			e.Again()
		}
		return nil
	})
	if err != nil || next != frames {
		t.Fatalf("%d frames, %v", next, err)
	}
}

// corrupt publishes a frame with a flipped bit.
func (w *writer) corrupt() uint64 {
	data := w.encodeNext("", 1, 0, nil)
	data[len(data)/2] ^= 4
	return w.publish(data)
}

func TestDamagedFrame(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	w.write(1)
	w.corrupt()
	_, _, err := c.Last(testContext(t))
	wantError(t, err, ErrCorruptFrame, "fizzbuzz+generator", "sequence 2")
	wantError(t, err, frame.ErrChecksum)
	w.write(1)
	err = c.Replay(testContext(t), 1, func(Record) error { return nil })
	wantError(t, err, ErrCorruptFrame, "fizzbuzz+generator", "sequence 2")
}

func TestTrim(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	ctx := testContext(t)
	first := func() uint64 {
		t.Helper()
		info, err := c.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return info.First
	}
	trim := func(before uint64) {
		t.Helper()
		if err := c.Trim(ctx, before); err != nil {
			t.Fatal(err)
		}
	}
	trim(5)
	w := newWriter(t, c)
	for range 10 {
		w.write(1)
	}
	trim(0)
	trim(4)
	if n := first(); n != 4 {
		t.Errorf("first is %d, want 4", n)
	}
	trim(3)
	trim(1000)
	if n := first(); n != 10 {
		t.Errorf("first is %d, want the last frame's 10", n)
	}
	w.write(1) // the expected sequence still holds

	other := newWriter(t, c.Instance(1)) // sequence 12
	other.write(1)
	w.write(1)
	trim(1000)
	if n := first(); n != 12 {
		t.Errorf("first is %d, want 12 of the other instance", n)
	}
	if _, found, err := c.Last(ctx); !found || err != nil {
		t.Errorf("the last frame: %v, %v", found, err)
	}
}

func ExampleChannel() {
	dir, err := os.MkdirTemp("", "penstock-example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b, err := broker.Open(ctx, broker.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	c, err := Open(ctx, b, Spec{Pipeline: "fizzbuzz", Stage: "generator"})
	if err != nil {
		fmt.Println(err)
		return
	}

	section := frame.Section{Base: 0}
	section.Append(frame.Message{Value: []byte("fizz")})
	section.Append(frame.Message{Value: []byte("buzz")})
	data, _ := frame.Append(nil, &frame.Frame{Epoch: 1, Commit: 1, Sections: []frame.Section{section}}, frame.Options{})
	sequence, err := c.Publish(data, 0, Trace{}).Result()
	fmt.Println("stored at", sequence, err)

	r := c.Reader(ReaderConfig{Name: "worker-0", Position: Position{Offset: 1}})
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	d := <-r.Deliveries()
	messages := d.Section.Messages()
	messages.Skip(d.Skip)
	for m, ok := messages.Next(); ok; m, ok = messages.Next() {
		fmt.Println(string(m.Value))
	}
	r.Ack(d)
	cancel()
	fmt.Println(<-done)
	// Output:
	// stored at 1 <nil>
	// buzz
	// <nil>
}
