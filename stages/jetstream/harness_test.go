package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/jscode"
	"penstock/internal/testing/natsserver"
	"penstock/stages/jetstream"
	"penstock/tests/loopback"
)

const patience = time.Minute

// quick makes retries soon enough for tests.
var quick = engine.Options(
	engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond, Jitter: -1}),
	engine.UnavailableBackoff(supervise.Backoff{Initial: 5 * time.Millisecond, Max: 50 * time.Millisecond}),
)

// other is a server with the stream S, which is not the pipeline's.
type other struct {
	*natsserver.Server
	t   testing.TB
	js  natsjs.JetStream
	dir string
}

// startOther starts it, on a port that it keeps when it is stopped and started again.
func startOther(t testing.TB, changes ...func(*server.Options)) *other {
	t.Helper()
	port, dir := loopback.ForTest(t), t.TempDir()
	s := natsserver.Start(t, append([]func(*server.Options){func(o *server.Options) { o.Port, o.StoreDir = port, dir }}, changes...)...)
	return &other{s, t, s.JetStream(), dir}
}

// backup copies what the server has, and restore brings it back: what came since is lost.
func (o *other) backup() (dir string) {
	o.t.Helper()
	dir = o.t.TempDir()
	o.Stop()
	must(o.t, os.CopyFS(dir, os.DirFS(o.dir)))
	o.Again()
	return dir
}

func (o *other) restore(dir string) {
	o.t.Helper()
	o.Stop()
	must(o.t, os.RemoveAll(o.dir))
	must(o.t, os.CopyFS(o.dir, os.DirFS(dir)))
	o.Again()
}

func (o *other) nats() engine.NATS { return engine.NATS{URL: o.ClientURL()} }

// stream makes S, with the subjects s.>.
func (o *other) stream(change ...func(*natsjs.StreamConfig)) natsjs.Stream {
	o.t.Helper()
	cfg := natsjs.StreamConfig{Name: "S", Subjects: []string{"s.>"}}
	for _, c := range change {
		c(&cfg)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		s, err := o.js.CreateStream(o.t.Context(), cfg)
		var api *natsjs.APIError
		passes := errors.As(err, &api) && api.ErrorCode == jscode.StreamCreate // the files of the one before are just being deleted
		if (passes || errors.Is(err, context.DeadlineExceeded)) && time.Now().Before(deadline) {
			continue
		}
		if err != nil {
			o.t.Fatal(err)
		}
		return s
	}
}

// put publishes values of numbers, each to the subject s.even or s.odd, and each once although a leader may change.
func (o *other) put(from, below int) {
	o.t.Helper()
	for n := from; n < below; n++ {
		for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			_, err := o.js.Publish(o.t.Context(), subjectOf(n), []byte(fmt.Sprint(n)), natsjs.WithMsgID(fmt.Sprint(n)))
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				o.t.Fatal(err)
			}
		}
	}
}

func subjectOf(n int) string {
	if n%2 == 0 {
		return "s.even"
	}
	return "s.odd"
}

// texts are those of numbers.
func texts(from, below int) (list []string) {
	for n := from; n < below; n++ {
		list = append(list, fmt.Sprint(n))
	}
	return list
}

// taken is what a sink has got.
type taken struct {
	mu       sync.Mutex
	messages []jetstream.Message
	first    uint64 // offset of the first one
	changed  chan struct{}
}

// collect declares a sink that keeps what it gets from where the run goes on, each once.
func collect(p engine.Scope, in *engine.Stream[jetstream.Message]) *taken {
	k := &taken{changed: make(chan struct{}, 1)}
	engine.Sink(p, "keep", in, func(_ context.Context, _ *struct{}, m engine.Message[jetstream.Message]) error {
		k.mu.Lock()
		if len(k.messages) == 0 {
			k.first = m.Offset
		}
		k.messages = append(k.messages[:m.Offset-k.first], m.Value)
		k.mu.Unlock()
		select {
		case k.changed <- struct{}{}:
		default:
		}
		return nil
	})
	return k
}

func (k *taken) all() []jetstream.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]jetstream.Message(nil), k.messages...)
}

func (k *taken) texts() (list []string) {
	for _, m := range k.all() {
		list = append(list, string(m.Data))
	}
	return list
}

// await waits until there are so many.
func (k *taken) await(t *testing.T, n int) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		k.mu.Lock()
		have := len(k.messages)
		k.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-k.changed:
		case <-limit.C:
			t.Fatalf("%d messages, waiting for %d", have, n)
		}
	}
}

// running is a pipeline under way.
type running struct {
	t    *testing.T
	p    *engine.Pipeline
	stop context.CancelFunc
	done chan error
	log  *testLog
}

// start runs a pipeline until it is stopped.
func start(t *testing.T, p *engine.Pipeline, config engine.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, p: p, stop: cancel, done: make(chan error, 1), log: &testLog{}}
	if config.Logger == nil {
		config.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	}
	go func() { r.done <- p.Run(ctx, config) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Log(r.log)
		}
	})
	return r
}

// end waits for the end, or asks for it.
func (r *running) end(ask bool) (observe.Status, error) {
	r.t.Helper()
	if ask {
		r.stop()
	}
	select {
	case err := <-r.done:
		r.done <- err
		return r.p.Status(), err
	case <-time.After(patience):
		r.t.Fatalf("the pipeline does not end\n%s", r.log)
		return observe.Status{}, nil
	}
}

// must ends it well.
func (r *running) must(ask bool) observe.Status {
	r.t.Helper()
	status, err := r.end(ask)
	if err != nil {
		r.t.Fatalf("%v\n%s", err, r.log)
	}
	return status
}

// refusedWith ends with an error of a kind.
func (r *running) refusedWith(kind error) error {
	r.t.Helper()
	_, err := r.end(false)
	if err == nil || kind != nil && !errors.Is(err, kind) {
		r.t.Fatalf("%v, want %v", err, kind)
	}
	return err
}

// await waits until something is so of the status.
func (r *running) await(what string, is func(observe.Status) bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if is(r.p.Status()) {
			return
		}
	}
	r.t.Fatalf("never %s: %+v\n%s", what, r.p.Status(), r.log)
}

// testLog keeps what is logged.
type testLog struct {
	mu   sync.Mutex
	text []byte
}

func (l *testLog) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, data...)
	return len(data), nil
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// of is a stage of a status. It is zero before there are stages.
func of(s observe.Status, stage string) observe.StageStatus {
	for _, at := range s.Stages {
		if at.Name == stage {
			return at
		}
	}
	return observe.StageStatus{}
}

// burnt is how many attempts and restarts a stage has used up.
func burnt(t *testing.T, s observe.Status, stage string) uint64 {
	t.Helper()
	at := enginetest.Stage(t, s, stage)
	return at.Errors + at.Panics + at.Restarts + at.FailedAttempts + at.DeadLetters
}

// delivered is how many messages the consumer of the stream has sent, and silent waits until that is the same for a
// while.
func (o *other) delivered(s natsjs.Stream) uint64 {
	o.t.Helper()
	for info := range s.ListConsumers(o.t.Context()).Info() {
		return info.Delivered.Consumer
	}
	return 0
}

func (o *other) silent(s natsjs.Stream) {
	for last, same := uint64(0), 0; same < 10; time.Sleep(20 * time.Millisecond) {
		now := o.delivered(s)
		if same++; now != last || now == 0 {
			same = 0
		}
		last = now
	}
}
