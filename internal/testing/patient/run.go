package patient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime/pprof"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/inspect"
	"penstock/engine/observe"
	"penstock/internal/testing/natsserver"
)

// Config logs only when PENSTOCK_TEST_LOG is set.
func Config(dir string) engine.Config {
	level := slog.LevelError + 1
	if os.Getenv("PENSTOCK_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return engine.Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))}
}

// longestRun is after how long a run is taken to hang: much longer than any of them takes.
const longestRun = 3 * time.Minute

// Bounded is the context of a run, which stop ends. One that hangs is stopped and fails its test, and what all
// goroutines wait for is printed.
func Bounded(t *testing.T) (ctx context.Context, stop context.CancelFunc) {
	t.Helper()
	ctx, stop = context.WithTimeout(t.Context(), longestRun)
	context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Errorf("a run hangs for %v", longestRun)
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		}
	})
	return ctx, stop
}

// fast makes restarts immediate enough for tests.
var fast = enginetest.FastRestarts()

var errPoison = errors.New("poison")

// place is how far a counting source has come.
type place struct{ Next uint64 }

// count emits 0 to n-1, one value a call.
func count(n uint64) engine.SourceFunc[place, uint64] {
	return func(_ context.Context, at *place, emit engine.Emit[uint64]) error {
		if at.Next == n {
			return io.EOF
		}
		emit(at.Next)
		at.Next++
		return nil
	}
}

// Within waits for what sends no signal.
func Within(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not seen within a minute: %s", what)
		}
	}
}

func stage(p *engine.Pipeline, name string) observe.StageStatus {
	for _, s := range p.Status().Stages {
		if s.Name == name {
			return s
		}
	}
	return observe.StageStatus{}
}

// trimmed says whether the checkpoints of an idle pipeline have everything, and its channels are trimmed: that is so
// when several rounds of the checkpointer have come and gone.
func trimmed(p *engine.Pipeline, interval time.Duration) func() bool {
	rounds, last := 0, time.Time{}
	return func() bool {
		s := p.Status()
		if s.Checkpoint == nil {
			return false
		}
		if at := time.Now().Add(-s.Checkpoint.Age); at.Sub(last) > interval/2 {
			rounds, last = rounds+1, at
		}
		return rounds > 4 && !slices.ContainsFunc(s.Channels, func(c observe.ChannelStatus) bool { return c.StoredBytes > 64<<10 })
	}
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// CopyLive copies the directory of a pipeline that is running, as a crash leaves it. The server replaces small files,
// which may go away just as they are copied: then it begins anew.
func CopyLive(to, from string) (err error) {
	for range 100 {
		if err = os.CopyFS(to, os.DirFS(from)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if removed := os.RemoveAll(to); removed != nil {
			return removed
		}
	}
	return err
}

// committed reads a stage's state from a directory that is not in use.
func committed[S any](t *testing.T, dir, stage string) map[string]S {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), Config(dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]S{}
	err = inspector.State(t.Context(), stage, func(key string, data json.RawMessage) error {
		var state S
		err := json.Unmarshal(data, &state)
		states[key] = state
		return err
	})
	if err = errors.Join(err, inspector.Close()); err != nil {
		t.Fatal(err)
	}
	return states
}

// outsideServer starts one, and connects to it.
func outsideServer(t *testing.T) (url string, js jetstream.JetStream) {
	t.Helper()
	s := natsserver.Start(t, func(o *server.Options) { o.SyncAlways = true })
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	return s.ClientURL(), js
}
