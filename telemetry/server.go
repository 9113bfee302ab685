package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"penstock/engine"
	"penstock/engine/supervise"
)

// Server shows a pipeline in a browser, to Prometheus and to scripts. Make one
// with New. Safe for concurrent use.
type Server struct {
	pipeline *engine.Pipeline
	config   Config
	log      *slog.Logger
	listener net.Listener
	guard    *guard
	registry *prometheus.Registry
	recorder *recorder
	hub      *hub
	drawer   *drawer
}

// New opens the address. Serve, or Close, must follow.
func New(p *engine.Pipeline, c Config) (*Server, error) {
	c = c.withDefaults()
	h := newHub()
	recorder, err := newRecorder(p, c, h)
	if err != nil {
		return nil, err
	}
	listener, err := listen(c)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewCollector(p), triggerCollector{p.Name(), recorder.triggers}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	s := &Server{
		pipeline: p, config: c, log: c.Logger, listener: listener, registry: registry, hub: h, recorder: recorder, drawer: newDrawer(),
		guard: newGuard(c),
	}
	return s, nil
}

// Addr is where the server listens, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is where the page is.
func (s *Server) URL() string { return "http://" + s.Addr() + "/" }

// Close gives the address up, unless Serve has.
func (s *Server) Close() error { return s.listener.Close() }

// endTime is how long answers that are under way may take at the end.
const endTime = time.Second

// Serve records and answers until ctx is done.
func (s *Server) Serve(ctx context.Context) error {
	unsubscribe := s.pipeline.Subscribe(func(e supervise.Event) { s.recorder.event(e) })
	defer unsubscribe()
	life, cancel := context.WithCancel(ctx)
	var recording sync.WaitGroup
	recording.Go(func() { s.recorder.serve(life) })
	defer recording.Wait()
	defer cancel()
	return serveUntil(life, s.config, s.listener, s.guard.wrap(s.routes()), s.hub.close)
}

// serveUntil answers until ctx is done. Then hush ends the answers that would not
// end by themselves.
func serveUntil(ctx context.Context, c Config, listener net.Listener, handler http.Handler, hush func()) error {
	ctx, cancel := context.WithCancel(ctx)
	connections := newConnections(connectionsMost, answersMost)
	server := &http.Server{
		Handler:           connections.wrap(handler),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: readTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		ConnContext:       connections.enter,
		ConnState:         connections.left,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}
	var ending sync.WaitGroup
	ending.Go(func() {
		<-ctx.Done()
		hush()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(listener)
	cancel()
	ending.Wait()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the telemetry on %s: %w", listener.Addr(), err)
	}
	return nil
}
