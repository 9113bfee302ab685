package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/observe"
	"penstock/internal/testing/natsserver"
	"penstock/stages/jetstream"
)

// counts emits the numbers from 0 to below.
func counts(below int) engine.SourceFunc[int, int] {
	return func(_ context.Context, next *int, emit engine.Emit[int]) error {
		for range 10 {
			if *next == below {
				return io.EOF
			}
			emit(*next)
			*next++
		}
		return nil
	}
}

// toText makes the message of a number.
func toText(n int) (jetstream.Message, error) {
	return jetstream.Message{Subject: subjectOf(n), Data: []byte(fmt.Sprint(n))}, nil
}

// writes is a pipeline that writes so many numbers into S.
func writes(config jetstream.SinkConfig, below int, message func(int) (jetstream.Message, error)) *engine.Pipeline {
	p := engine.New("writes")
	config.Stream = "S"
	jetstream.Sink(p.With(quick), "sink", engine.Source(p, "numbers", counts(below)), config, message)
	return p
}

// stored are the texts of the messages in S.
func (o *other) stored() (list []string) {
	o.t.Helper()
	s, err := o.js.Stream(o.t.Context(), "S")
	must(o.t, err)
	first, last := s.CachedInfo().State.FirstSeq, s.CachedInfo().State.LastSeq
	for k := max(first, 1); k <= last; k++ {
		m, err := s.GetMsg(o.t.Context(), k)
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			continue
		}
		must(o.t, err)
		list = append(list, string(m.Data))
	}
	return list
}

// What a sink writes is there once and in order, also what a second run and a fresh one write, and in both modes.
func TestASinkWritesEachMessageOnce(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]jetstream.Mode{"expect last": jetstream.ExpectLast, "message id": jetstream.MessageID} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := startOther(t)
			o.stream()
			dir := t.TempDir()
			var want []string
			for _, fresh := range []bool{false, false, true} {
				p := writes(jetstream.SinkConfig{NATS: o.nats(), Mode: mode, InFlight: 7}, 500, toText)
				start(t, p, engine.Config{Dir: dir, Fresh: fresh}).must(false)
				want = append(want, texts(0, 500)...)
			}
			if got := o.stored(); !slices.Equal(got, want) {
				t.Errorf("%d messages, want %d", len(got), len(want))
			}
		})
	}
}

// Headers and subjects arrive, without what another stream's server was told.
func TestHeadersOfASink(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	s := o.stream()
	p := writes(jetstream.SinkConfig{NATS: o.nats()}, 1, func(int) (jetstream.Message, error) {
		return jetstream.Message{Subject: "s.a.b", Header: map[string][]string{"X": {"1", "2"}, "Nats-Rollup": {"all"}, "nats-msg-id": {"x"}}}, nil
	})
	start(t, p, engine.Config{Dir: t.TempDir()}).must(false)
	m, err := s.GetMsg(t.Context(), 1)
	must(t, err)
	if m.Subject != "s.a.b" || !slices.Equal(m.Header["X"], []string{"1", "2"}) || m.Header["Nats-Rollup"] != nil || m.Header["nats-msg-id"] != nil {
		t.Errorf("%s %v", m.Subject, m.Header)
	}
	if mark := m.Header.Get(jetstream.MarkHeader); !strings.HasPrefix(mark, "1 writes.sink ") || !strings.HasSuffix(mark, " numbers 0 0") {
		t.Errorf("its mark is %q", mark)
	}
}

// Messages that are rejected become dead letters, and are written once when they are replayed, at the end.
func TestReplayedLettersAreWrittenOnce(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]jetstream.Mode{"expect last": jetstream.ExpectLast, "message id": jetstream.MessageID} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := startOther(t)
			o.stream()
			dir := t.TempDir()
			config := jetstream.SinkConfig{NATS: o.nats(), Mode: mode}
			p := writes(config, 300, func(n int) (jetstream.Message, error) {
				if n%50 == 7 {
					return jetstream.Message{}, errors.New("not yet")
				}
				return toText(n)
			})
			start(t, p, engine.Config{Dir: dir}).must(false)
			replayAll(t, dir, 6)
			start(t, writes(config, 300, toText), engine.Config{Dir: dir}).must(false)
			var want, last []string
			for n := range 300 {
				if n%50 == 7 {
					last = append(last, fmt.Sprint(n))
				} else {
					want = append(want, fmt.Sprint(n))
				}
			}
			if got := o.stored(); !slices.Equal(got, append(want, last...)) {
				t.Errorf("%v", got)
			}
		})
	}
}

// replayAll asks for all dead letters, which are so many.
func replayAll(t *testing.T, dir string, want int) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), engine.Config{Dir: dir}.ToInspect())
	must(t, err)
	defer func() { must(t, inspector.Close()) }()
	letters, _, err := inspector.DeadLetters(t.Context())
	must(t, err)
	n := 0
	err = letters.SelectInOrder(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
		n++
		return letters.Replay(t.Context(), l, dlq.ReplayOptions{})
	})
	if err != nil || n != want {
		t.Fatalf("%d dead letters, want %d: %v", n, want, err)
	}
}

// While the server is away the sink waits, and goes on when it is back: without an attempt, and each message once.
func TestTheServerOfASinkIsAway(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	nats := o.nats()
	o.Stop()
	reached, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p := writes(jetstream.SinkConfig{NATS: nats}, 100, func(n int) (jetstream.Message, error) {
		if n == 50 {
			once.Do(func() {
				close(reached)
				<-proceed
			})
		}
		return toText(n)
	})
	r := start(t, p, engine.Config{Dir: t.TempDir()})
	r.await("away", isAway("sink"))
	before := of(p.Status(), "sink").Unavailable
	o.Again()
	<-reached
	o.Stop()
	close(proceed)
	r.await("away again", func(s observe.Status) bool { return of(s, "sink").Unavailable > before })
	o.Again()
	if n := burnt(t, r.must(false), "sink"); n != 0 {
		t.Errorf("%d attempts and restarts", n)
	}
	if got := o.stored(); !slices.Equal(got, texts(0, 100)) {
		t.Errorf("%v", got)
	}
}

// gate stops a function at a number until it is opened.
type gate struct {
	at              int
	reached, opened chan struct{}
	once            sync.Once
}

func newGate(at int) *gate {
	return &gate{at: at, reached: make(chan struct{}), opened: make(chan struct{})}
}

func (g *gate) pass(n int) {
	if n == g.at {
		g.once.Do(func() { close(g.reached) })
		<-g.opened
	}
}

// await waits until a pipeline is there.
func (g *gate) await(r *running) {
	r.t.Helper()
	select {
	case <-g.reached:
	case err := <-r.done:
		r.t.Fatalf("it ended: %v\n%s", err, r.log)
	}
}

// A process that was replaced while it was about to write cannot write behind the one that has gone on.
func TestTwoOwnersOfASink(t *testing.T) {
	t.Parallel()
	own := natsserver.Start(t) // of the channels: both processes have it
	o := startOther(t)
	o.stream()
	begin := func(g *gate) *running {
		p := engine.New("writes")
		jetstream.Sink(p.With(quick, engine.BatchSize(1)), "sink", engine.Source(p, "numbers", counts(200)), jetstream.SinkConfig{NATS: o.nats(), Stream: "S"},
			func(n int) (jetstream.Message, error) {
				g.pass(n)
				return toText(n)
			})
		r := start(t, p, engine.Config{Dir: t.TempDir(), NATS: engine.NATS{URL: own.ClientURL()}, DrainTimeout: time.Second})
		g.await(r)
		return r
	}
	before, after := newGate(120), newGate(150)
	first := begin(before)
	second := begin(after)
	if got := o.stored(); !slices.Equal(got, texts(0, 150)) {
		t.Fatalf("%d messages before the first goes on", len(got))
	}
	close(before.opened)
	if _, err := first.end(false); !errors.Is(err, jetstream.ErrTakenOver) {
		t.Errorf("the first one ended with %v, want %v", err, jetstream.ErrTakenOver)
	}
	if got := o.stored(); !slices.Equal(got, texts(0, 150)) {
		t.Errorf("%d messages after the first has gone on: %v", len(got), got)
	}
	close(after.opened)
	second.must(false)
	if got := o.stored(); !slices.Equal(got, texts(0, 200)) {
		t.Errorf("%d messages: %v", len(got), got)
	}
}

// A stream that does not end as the sink has left it stops the pipeline, and AllowGaps goes on.
func TestAStreamThatOthersChange(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		harm func(t *testing.T, o *other)
		says string
	}{
		"others write": {func(t *testing.T, o *other) { o.put(1000, 1001) }, "message 101 of S was written by others"},
		"made anew": {func(t *testing.T, o *other) {
			must(t, o.js.DeleteStream(t.Context(), "S"))
			o.stream()
		}, "made anew"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := startOther(t)
			o.stream()
			dir := t.TempDir()
			gate := make(chan struct{})
			write := func(n int) (jetstream.Message, error) {
				if n == 100 {
					<-gate
				}
				return toText(n)
			}
			config := jetstream.SinkConfig{NATS: o.nats()}
			config.Stream = "S"
			p := engine.New("writes")
			jetstream.Sink(p.With(quick, engine.BatchSize(1)), "sink", engine.Source(p, "numbers", counts(200)), config, write)
			r := start(t, p, engine.Config{Dir: dir})
			r.await("written", func(s observe.Status) bool { return len(o.stored()) == 100 })
			of.harm(t, o)
			close(gate)
			err := r.refusedWith(jetstream.ErrEnd)
			if !strings.Contains(err.Error(), of.says) || !strings.Contains(err.Error(), "AllowGaps") {
				t.Errorf("it says: %v", err)
			}
			config.AllowGaps = true
			start(t, writes(config, 200, toText), engine.Config{Dir: dir}).must(false)
			got := o.stored()
			if tail := got[len(got)-100:]; !slices.Equal(tail, texts(100, 200)) {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestWhatASinkRefuses(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	if _, err := o.js.CreateStream(t.Context(), natsjs.StreamConfig{Name: "WORK", Subjects: []string{"work"}, Retention: natsjs.WorkQueuePolicy}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.js.CreateStream(t.Context(), natsjs.StreamConfig{Name: "KV", Subjects: []string{"kv.>"}, MaxMsgsPerSubject: 1}); err != nil {
		t.Fatal(err)
	}
	nats := o.nats()
	for says, of := range map[string]struct {
		config  jetstream.SinkConfig
		subject string
	}{
		"has the retention":               {jetstream.SinkConfig{NATS: nats, Stream: "WORK"}, "work"},
		"keeps 1 messages of each":        {jetstream.SinkConfig{NATS: nats, Stream: "KV"}, "kv.a"},
		"belongs to another stream":       {jetstream.SinkConfig{NATS: nats, Stream: "S"}, "work"},
		"no stream has the subject t.x":   {jetstream.SinkConfig{NATS: nats, Stream: "S"}, "t.x"},
		"must be ExpectLast or MessageID": {jetstream.SinkConfig{NATS: nats, Stream: "S", Mode: 7}, "s.a"},
		"NATS.URL is empty":               {jetstream.SinkConfig{Stream: "S"}, "s.a"},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			p := engine.New("refused")
			jetstream.Sink(p.With(quick), "sink", engine.Source(p, "numbers", counts(1)), of.config, func(int) (jetstream.Message, error) {
				return jetstream.Message{Subject: of.subject}, nil
			})
			if err := start(t, p, engine.Config{Dir: t.TempDir()}).refusedWith(nil); !strings.Contains(err.Error(), says) {
				t.Errorf("it says: %v", err)
			}
		})
	}
}

// The leader of the stream changes while a sink writes: each message is there once, in order, and the sequences have
// no hole.
func TestTheLeaderOfASinkChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	t.Parallel()
	servers := natsserver.Cluster(t)
	o := &other{Server: servers[0], t: t, js: servers[0].JetStream()}
	o.stream(func(c *natsjs.StreamConfig) { c.Replicas = 3 })
	const most = 3000
	p := writes(jetstream.SinkConfig{NATS: engine.NATS{URL: natsserver.URLs(servers)}, InFlight: 50}, most, func(n int) (jetstream.Message, error) {
		if n == 1000 || n == 1700 {
			o.stepDown()
		}
		if n == 2300 {
			servers[1].Shutdown()
		}
		return toText(n)
	})
	status := start(t, p, engine.Config{Dir: t.TempDir()}).must(false)
	if n := burnt(t, status, "sink"); n != 0 {
		t.Errorf("%d attempts and restarts", n)
	}
	if got := o.stored(); !slices.Equal(got, texts(0, most)) {
		t.Errorf("%d messages, want %d", len(got), most)
	}
}
