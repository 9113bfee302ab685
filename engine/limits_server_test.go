package engine_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/internal/testing/natsserver"
)

// A limit of the storage that is met while the pipeline runs is a wait that names the limit and the remedy, and when it is
// lifted the pipeline goes on, exact.
func TestStorageLimitMetWhileRunning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meet func(*limitedServer)
		lift func(*limitedServer)
		want []string
	}{
		"account": {
			meet: func(l *limitedServer) { l.limitAccount(1) },
			lift: func(l *limitedServer) { l.limitAccount(-1) },
			want: []string{"storage of the account", "max_file", "raise it"},
		},
		"server": {
			meet: func(l *limitedServer) { l.restart(1) },
			lift: func(l *limitedServer) { l.reload(1 << 40) },
			want: []string{"storage of the server", "max_file_store", "raise it"},
		},
		"stream": {
			meet: func(l *limitedServer) { l.limitStream("orders+numbers", 1) },
			lift: func(l *limitedServer) { l.limitStream("orders+numbers", 1<<30) },
			want: []string{"max_bytes", "raise it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLimited(t)
			const n = 2000
			p, gate := gated(n, nil)
			config := testConfig(t, t.TempDir())
			config.NATS = engine.NATS{URL: l.s.ClientURL()}
			ended := make(chan error, 1)
			go func() { ended <- p.Run(t.Context(), config) }()
			<-gate.going
			c.meet(l)
			close(gate.release)
			awaitWait(t, p, ended, c.want...)
			c.lift(l)
			if err := <-ended; err != nil || p.Status().Stages[1].In != n {
				t.Errorf("error %v, %d of %d messages", err, p.Status().Stages[1].In, n)
			}
		})
	}
}

// gate is where a source stands after a hundred messages.
type gate struct{ going, release chan struct{} }

// gated is a pipeline of a source that stands at the gate, and of a sink that wants all n messages in order. The source may do
// something before each.
func gated(n uint64, before func(next uint64)) (*engine.Pipeline, gate) {
	g := gate{make(chan struct{}), make(chan struct{})}
	p := engine.New("orders")
	numbers := engine.Source(p, "numbers", func(_ context.Context, next *uint64, emit engine.Emit[uint64]) error {
		if *next == 100 {
			close(g.going)
			<-g.release
		}
		if *next == n {
			return io.EOF
		}
		if before != nil {
			before(*next)
		}
		emit(*next)
		*next++
		return nil
	})
	engine.Sink(p, "sink", numbers, func(_ context.Context, count *uint64, m engine.Message[uint64]) error {
		if m.Value != *count {
			return engine.Fatal(fmt.Errorf("message %d is %d", *count, m.Value))
		}
		*count++
		return nil
	})
	return p, g
}

// awaitWait returns when one wait of a stage says all of this.
func awaitWait(t *testing.T, p *engine.Pipeline, ended <-chan error, want ...string) {
	t.Helper()
	for {
		select {
		case err := <-ended:
			t.Fatalf("ended: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		for _, stage := range p.Status().Stages {
			for _, wait := range stage.Waits {
				if containsAll(wait.String(), want) {
					return
				}
			}
		}
	}
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// max_streams and max_consumers of the account are named with what lifts them, and when they are lifted the pipeline runs.
func TestNumberLimitsOfTheAccount(t *testing.T) {
	t.Parallel()
	t.Run("streams", func(t *testing.T) {
		t.Parallel()
		l := startLimited(t)
		few := unlimited()
		few.MaxStreams = 2
		l.limit(few)
		config := testConfig(t, t.TempDir())
		config.NATS = engine.NATS{URL: l.s.ClientURL()}
		err := rejecting(10).Run(t.Context(), config)
		if err == nil || !containsAll(err.Error(), []string{"max_streams", "one for each stage and two for dead letters", "raise it"}) {
			t.Errorf("error %v", err)
		}
		l.limit(unlimited())
		if err := rejecting(10).Run(t.Context(), config); err != nil {
			t.Error(err)
		}
	})
	t.Run("consumers", func(t *testing.T) {
		t.Parallel()
		l := startLimited(t)
		few := unlimited()
		few.MaxConsumers = 1
		l.limit(few)
		config := testConfig(t, t.TempDir())
		config.NATS = engine.NATS{URL: l.s.ClientURL()}
		p := engine.New("orders")
		numbers := engine.Source(p, "numbers", count(10, 3))
		for _, name := range []string{"one", "two"} {
			engine.Sink(p, name, numbers, func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
		}
		ended := make(chan error, 1)
		go func() { ended <- p.Run(t.Context(), config) }()
		awaitWait(t, p, ended, "max_consumers", "raise it")
		l.limit(unlimited())
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// limitedServer is a server whose limits change.
type limitedServer struct {
	t    *testing.T
	opts *server.Options
	s    *natsserver.Server
}

func startLimited(t *testing.T) *limitedServer {
	t.Helper()
	l := &limitedServer{t: t, opts: natsserver.Options(t.TempDir())}
	l.opts.JetStreamMaxMemory, l.opts.JetStreamMaxStore = 1<<30, 1<<40
	l.start()
	return l
}

func (l *limitedServer) start() {
	l.t.Helper()
	l.s = natsserver.Start(l.t, func(o *server.Options) { *o = *l.opts.Clone() })
	l.opts.Port = l.s.Addr().(*net.TCPAddr).Port
}

// restart has the server come back with this much storage.
func (l *limitedServer) restart(store int64) {
	l.s.Stop()
	l.opts.JetStreamMaxStore = store
	l.start()
}

// reload gives the running server more storage.
func (l *limitedServer) reload(store int64) {
	l.t.Helper()
	l.opts.JetStreamMaxStore = store
	if err := l.s.ReloadOptions(l.opts.Clone()); err != nil {
		l.t.Error(err)
	}
}

func (l *limitedServer) limitAccount(store int64) {
	l.t.Helper()
	limits := unlimited()
	limits.MaxStore = store
	l.limit(limits)
}

func unlimited() server.JetStreamAccountLimits {
	return server.JetStreamAccountLimits{MaxMemory: -1, MaxStore: -1, MaxStreams: -1, MaxConsumers: -1}
}

func (l *limitedServer) limit(limits server.JetStreamAccountLimits) {
	l.t.Helper()
	err := l.s.GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{"": limits})
	if err != nil {
		l.t.Error(err)
	}
}

func (l *limitedServer) limitStream(name string, bytes int64) {
	l.t.Helper()
	ctx := l.t.Context()
	s, err := l.admin().JetStream().Stream(ctx, name)
	if err != nil {
		l.t.Error(err)
		return
	}
	cfg := s.CachedInfo().Config
	cfg.MaxBytes = bytes
	if _, err := l.admin().JetStream().UpdateStream(ctx, cfg); err != nil {
		l.t.Error(err)
	}
}

func (l *limitedServer) admin() *broker.Broker {
	l.t.Helper()
	b, err := broker.Open(l.t.Context(), broker.Config{URL: l.s.ClientURL()})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(b.Close)
	return b
}
