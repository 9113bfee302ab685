package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"penstock/internal/nofollow"
)

const (
	embeddedMaxPayload = 8 << 20

	// What the server may have on its way to this process before it takes it for stuck and hangs up: every reader of
	// the pipeline shares the one connection.
	embeddedMaxPending = 512 << 20

	recoverTick = time.Second
)

// ErrInUse means that another process runs an embedded server in the same directory.
var ErrInUse = errors.New("directory of the embedded NATS server is in use")

// embedded is the server inside the process, with the lock that nats-server does not take itself. It is another server
// after a restart.
type embedded struct {
	cfg    Config
	lock   *flock.Flock
	server atomic.Pointer[server.Server]

	restarting sync.Mutex
	stopped    bool
}

var _ nats.InProcessConnProvider = (*embedded)(nil)

// InProcessConn connects to the server that there is.
func (e *embedded) InProcessConn() (net.Conn, error) {
	s := e.server.Load()
	if s == nil || !s.Running() {
		return nil, errStopped
	}
	return s.InProcessConn()
}

var errStopped = errors.New("the embedded NATS server is stopped")

func startEmbedded(ctx context.Context, cfg Config) (*embedded, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the embedded NATS server's directory: %w", err)
	}
	path := filepath.Join(cfg.Dir, "server.lock")
	if err := nofollow.Check(path); err != nil {
		return nil, fmt.Errorf("lock the embedded NATS server's directory: %w", err)
	}
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|nofollow.Flag))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the embedded NATS server's directory %s: %w", cfg.Dir, err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: %s: stop the other process, or use another directory", ErrInUse, cfg.Dir)
	}
	e := &embedded{cfg: cfg, lock: lock}
	if err := e.run(ctx); err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

// run makes a server and starts it.
func (e *embedded) run(ctx context.Context) error {
	if err := nofollow.CheckTree(e.cfg.Dir, nofollow.Tree{IsFile: IsFile}); err != nil {
		return fmt.Errorf("embedded NATS server: %w", err)
	}
	if err := sweep(e.cfg); err != nil {
		return fmt.Errorf("embedded NATS server in %s: %w", e.cfg.Dir, err)
	}
	s, err := server.NewServer(serverOptions(e.cfg))
	if err != nil {
		return fmt.Errorf("embedded NATS server in %s: %w", e.cfg.Dir, err)
	}
	s.SetLoggerV2(serverLog{e.cfg.Logger}, false, false, false)
	if err := start(ctx, s, e.cfg); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return err
	}
	e.server.Store(s)
	return nil
}

func serverOptions(cfg Config) *server.Options {
	return &server.Options{
		ServerName:   cfg.Name,
		DontListen:   true,
		NoSigs:       true,
		JetStream:    true,
		StoreDir:     cfg.Dir,
		SyncAlways:   cfg.Sync == 0,
		SyncInterval: cfg.Sync,
		MaxPayload:   embeddedMaxPayload,
		MaxPending:   embeddedMaxPending,
		// Streams reserve their bound. The server's default, three quarters of what is free on the disk now, would
		// refuse a pipeline on a small disk that it will never fill.
		JetStreamMaxStore: 1 << 50,
	}
}

// start waits for the recovery of the stored streams, which takes half a second for a million messages.
func start(ctx context.Context, s *server.Server, cfg Config) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Start()
	}()
	began := time.Now()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(recoverTick):
			cfg.Logger.Info("embedded NATS server is reading its files", "dir", cfg.Dir, "for", time.Since(began).Round(time.Second))
		case <-ctx.Done():
			<-done
			return fmt.Errorf("start the embedded NATS server in %s: %w", cfg.Dir, context.Cause(ctx))
		}
	}
	if !s.ReadyForConnections(10*time.Second) || !s.JetStreamEnabled() {
		return fmt.Errorf("embedded NATS server in %s did not start: see its warnings in the log (free space? permissions?)", cfg.Dir)
	}
	return nil
}

func (e *embedded) stop() {
	e.restarting.Lock()
	defer e.restarting.Unlock()
	e.stopped = true
	e.stopServer()
	_ = e.lock.Unlock()
}

func (e *embedded) stopServer() {
	if s := e.server.Load(); s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}
