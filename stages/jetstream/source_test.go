package jetstream_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/stages/jetstream"
)

// reads is a pipeline that reads S and keeps what it gets.
func reads(config jetstream.SourceConfig) (*engine.Pipeline, *taken) {
	p := engine.New("reads")
	config.Stream = "S"
	return p, collect(p, jetstream.Source(p.With(quick), "source", config))
}

func TestAMessageComesWhole(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	before := time.Now()
	m := nats.NewMsg("s.a.b")
	m.Data = []byte{0, 255}
	m.Header = nats.Header{"X-Name": {"a", "b"}, "x-name": {"c"}}
	if _, err := o.js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if _, err := o.js.Publish(t.Context(), "s.c", nil); err != nil {
		t.Fatal(err)
	}
	p, got := reads(jetstream.SourceConfig{NATS: o.nats(), UpTo: jetstream.UpToLast()})
	start(t, p, engine.Config{Dir: t.TempDir()}).must(false)
	list := got.all()
	if len(list) != 2 {
		t.Fatalf("%d messages", len(list))
	}
	first := list[0]
	if first.Subject != "s.a.b" || string(first.Data) != "\x00\xff" || first.Sequence != 1 || !slices.Equal(first.Header["X-Name"], []string{"a", "b"}) || first.Value("x-name") != "c" {
		t.Errorf("%+v", first)
	}
	if first.Time.Before(before.Add(-time.Second)) || first.Time.After(time.Now().Add(time.Second)) {
		t.Errorf("stored at %v", first.Time)
	}
	if second := list[1]; second.Subject != "s.c" || len(second.Data) != 0 || second.Header != nil || second.Sequence != 2 {
		t.Errorf("%+v", second)
	}
}

// A run begins where it was told, and reads only its subjects, in the order of the stream.
func TestWhereARunBegins(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	o.put(0, 5)
	time.Sleep(2 * time.Millisecond) // the messages before have an earlier time
	middle := time.Now()
	time.Sleep(2 * time.Millisecond)
	o.put(5, 10)
	for name, of := range map[string]struct {
		from     jetstream.Start
		subjects []string
		want     []string
	}{
		"zero":      {want: texts(0, 10)},
		"first":     {from: jetstream.FromFirst(), want: texts(0, 10)},
		"last":      {from: jetstream.FromLast(), want: texts(9, 10)},
		"new":       {from: jetstream.FromNew()},
		"time":      {from: jetstream.FromTime(middle), want: texts(5, 10)},
		"future":    {from: jetstream.FromTime(middle.Add(time.Hour))},
		"sequence":  {from: jetstream.FromSequence(8), want: texts(7, 10)},
		"even":      {subjects: []string{"s.even"}, want: []string{"0", "2", "4", "6", "8"}},
		"both":      {subjects: []string{"s.even", "s.odd"}, want: texts(0, 10)},
		"none":      {subjects: []string{"s.none"}},
		"last even": {from: jetstream.FromLast(), subjects: []string{"s.even"}, want: []string{"8"}},
		"even from": {from: jetstream.FromSequence(8), subjects: []string{"s.even"}, want: []string{"8"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, got := reads(jetstream.SourceConfig{NATS: o.nats(), From: of.from, Subjects: of.subjects, UpTo: jetstream.UpToLast()})
			start(t, p, engine.Config{Dir: t.TempDir()}).must(false)
			if list := got.texts(); !slices.Equal(list, of.want) {
				t.Errorf("%v, want %v", list, of.want)
			}
		})
	}
}

// A run that goes on reads each message once, and a run after a complete one begins where it was told once more.
func TestARunGoesOn(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	o.put(0, 3000)
	dir := t.TempDir()
	p, got := reads(jetstream.SourceConfig{NATS: o.nats(), Prefetch: 10})
	r := start(t, p, engine.Config{Dir: dir})
	got.await(t, 700)
	r.must(true)
	list := got.texts()
	o.put(3000, 3100)
	p, got = reads(jetstream.SourceConfig{NATS: o.nats()})
	r = start(t, p, engine.Config{Dir: dir})
	got.await(t, 3100-len(list))
	r.must(true)
	if again := got.texts(); !slices.Equal(append(list, again...), texts(0, 3100)) {
		t.Errorf("%d messages, and then %d", len(list), len(again))
	}
}

// A run after a complete one, and a fresh one, begin where they were told once more.
func TestARunBeginsAgain(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	o.put(0, 50)
	dir := t.TempDir()
	for _, fresh := range []bool{false, false, true} {
		p, got := reads(jetstream.SourceConfig{NATS: o.nats(), UpTo: jetstream.UpToLast()})
		start(t, p, engine.Config{Dir: dir, Fresh: fresh}).must(false)
		if list := got.texts(); !slices.Equal(list, texts(0, 50)) {
			t.Errorf("fresh %v: %v", fresh, list)
		}
	}
}

// Where a run begins with new messages is decided once: what comes while the pipeline is stopped is read.
func TestNewIsDecidedOnce(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	o.put(0, 5)
	dir := t.TempDir()
	config := jetstream.SourceConfig{NATS: o.nats(), From: jetstream.FromNew()}
	p, _ := reads(config)
	r := start(t, p, engine.Config{Dir: dir})
	r.await("decided", func(s observe.Status) bool { return of(s, "source").Commits > 1 }) // the first frame is the fence
	r.must(true)
	o.put(5, 8)
	p, got := reads(config)
	r = start(t, p, engine.Config{Dir: dir})
	got.await(t, 3)
	r.must(true)
	if list := got.texts(); !slices.Equal(list, texts(5, 8)) {
		t.Errorf("%v", list)
	}
}

// Empty messages come, and one of the largest size that the server takes: it is larger than what is read ahead.
func TestSmallAndLargeMessages(t *testing.T) {
	t.Parallel()
	const most = 6 << 20
	o := startOther(t, func(s *server.Options) { s.MaxPayload = most })
	o.stream()
	sizes := []int{0, 1, most - 1024, 0, most / 2, most / 2, most - 1024, 3}
	for _, size := range sizes {
		if _, err := o.js.Publish(t.Context(), "s.x", make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	p, got := reads(jetstream.SourceConfig{NATS: o.nats(), UpTo: jetstream.UpToLast()})
	start(t, p, engine.Config{Dir: t.TempDir()}).must(false)
	var have []int
	for _, m := range got.all() {
		have = append(have, len(m.Data))
	}
	if !slices.Equal(have, sizes) {
		t.Errorf("%v, want %v", have, sizes)
	}
}

// A pipeline that does not go on has the source read no more than it may read ahead.
func TestReadingAheadIsBounded(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	stream := o.stream()
	o.put(0, 5000)
	p := engine.New("slow")
	in := jetstream.Source(p.With(quick), "source", jetstream.SourceConfig{NATS: o.nats(), Stream: "S", Prefetch: 100})
	in.WithCapacity(engine.Capacity{Messages: 10})
	gate := make(chan struct{})
	engine.Sink(p, "waits", in, func(ctx context.Context, _ *struct{}, _ engine.Message[jetstream.Message]) error {
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	r := start(t, p, engine.Config{Dir: t.TempDir(), DrainTimeout: time.Millisecond})
	r.await("full", func(s observe.Status) bool { return of(s, "source").Out >= 10 })
	o.silent(stream) // nothing more is delivered
	if delivered := o.delivered(stream); delivered > 100+2*600 {
		t.Errorf("%d messages were delivered", delivered)
	}
	close(gate)
	r.end(true)
}
