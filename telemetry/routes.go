package telemetry

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"penstock/telemetry/internal/web"
)

// routes are all addresses of the server; docs/telemetry.md has them for users.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", web.Page)
	mux.Handle("GET /assets/", web.Assets())
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", web.Gathered(web.MetricsMost, promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, Timeout: web.ReadTime})))
	mux.HandleFunc("GET /graph.dot", s.graphDOT)
	mux.HandleFunc("GET /graph.svg", s.graphSVG)

	mux.HandleFunc("GET /api/v1/mode", s.mode)
	mux.HandleFunc("GET /api/v1/recording", s.recording)
	mux.HandleFunc("GET /api/v1/graph", s.graph)
	mux.HandleFunc("POST /api/v1/graph.dot", drawSent)
	mux.HandleFunc("GET /api/v1/status", s.status)
	mux.HandleFunc("GET /api/v1/stages", s.stages)
	mux.HandleFunc("GET /api/v1/stages/{stage}", s.stage)
	mux.HandleFunc("GET /api/v1/channels", s.channels)
	mux.HandleFunc("GET /api/v1/sample", s.sample)
	mux.HandleFunc("GET /api/v1/history", s.samples)
	mux.HandleFunc("GET /api/v1/events", s.events)
	mux.HandleFunc("GET /api/v1/live", s.live)
	mux.HandleFunc("GET /api/v1/stages/{stage}/events", s.stageEvents)
	mux.HandleFunc("GET /api/v1/stages/{stage}/state", s.stageState)
	mux.HandleFunc("GET /api/v1/messages/{stream...}", s.peek)
	mux.HandleFunc("GET /api/v1/letters", s.letters)
	mux.HandleFunc("GET /api/v1/letters/{id...}", s.letter)
	mux.HandleFunc("POST /api/v1/letters/{action}", s.changeLetters)
	mux.HandleFunc("POST /api/v1/stages/{stage}/{action}", s.act)
	mux.HandleFunc("POST /api/v1/drain", s.drain)
	return mux
}
