package telemetry

import (
	"context"
	"log/slog"
	"net"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/telemetry/drawing"
	"penstock/telemetry/internal/web"
	"penstock/telemetry/prom"
	"penstock/telemetry/record"
)

// Server shows a pipeline in a browser, to Prometheus and to scripts. Make one
// with New. Safe for concurrent use.
type Server struct {
	pipeline *engine.Pipeline
	config   Config
	log      *slog.Logger
	listener net.Listener
	access   *web.Access
	registry *prometheus.Registry
	recorder *record.Recorder
	hub      *record.Hub
	drawer   *drawing.Drawer
}

// New opens the address. Serve, or Close, must follow.
func New(p *engine.Pipeline, c Config) (*Server, error) {
	c = c.withDefaults()
	h := record.NewHub()
	recorder, err := record.NewRecorder(p, c.Interval, c.Triggers, h)
	if err != nil {
		return nil, err
	}
	listener, err := listen(c)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(prom.NewCollector(p), prom.NewTriggerCollector(p.Name(), recorder.EachTrigger), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	s := &Server{
		pipeline: p, config: c, log: c.Logger, listener: listener, registry: registry, hub: h, recorder: recorder, drawer: drawing.NewDrawer(),
		access: c.access(),
	}
	return s, nil
}

// Addr is where the server listens, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is where the page is.
func (s *Server) URL() string { return "http://" + s.Addr() + "/" }

// Close gives the address up, unless Serve has.
func (s *Server) Close() error { return s.listener.Close() }

// Serve records and answers until ctx is done.
func (s *Server) Serve(ctx context.Context) error {
	unsubscribe := s.pipeline.Subscribe(func(e supervise.Event) { s.recorder.Event(e) })
	defer unsubscribe()
	life, cancel := context.WithCancel(ctx)
	var recording sync.WaitGroup
	recording.Go(func() { s.recorder.Serve(life) })
	defer recording.Wait()
	defer cancel()
	return web.ServeUntil(life, s.log, s.listener, s.access.Wrap(s.routes()), s.hub.Close)
}
