package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"penstock/cmd/pipeline/internal/wire"
	"penstock/cmd/pipeline/internal/words"
	"penstock/engine"
	"penstock/internal/openfiles"
)

// Bounds of the control server.
const (
	controlCallers = 16               // at once; others are turned away
	controlWrite   = time.Minute      // for one piece of an answer
	controlRead    = 10 * time.Second // for a request
	controlHeader  = 16 << 10         // bytes
	controlGrace   = time.Second      // for answers under way at the end
)

// PipelineHeader names the pipeline in every answer.
const PipelineHeader = "Penstock-Pipeline"

// Server serves the control socket while a pipeline runs.
type Server struct {
	dir      string
	pipeline *engine.Pipeline
	log      *slog.Logger
	hints    words.Hints
	server   *http.Server
	callers  chan struct{} // a place for each answer under way
	files    *openfiles.Share
	serving  sync.WaitGroup
	leave    context.CancelFunc // ends the answers that would not end by themselves
}

// Serve begins to serve; Close ends it. The directory must be locked
// all the time.
func Serve(dir string, p *engine.Pipeline, log *slog.Logger, h words.Hints) (*Server, error) {
	c := &Server{dir: dir, pipeline: p, log: log, hints: h, callers: make(chan struct{}, controlCallers)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", c.status)
	mux.HandleFunc("GET /v1/state/{stage}", c.state)
	mux.HandleFunc("GET /v1/events", c.allEvents)
	mux.HandleFunc("GET /v1/events/{stage}", c.events)
	mux.HandleFunc("GET /v1/examination", c.examination)
	c.handleLetters(mux)
	life, leave := context.WithCancel(context.Background())
	c.leave = leave
	listener, err := Listen(dir)
	if err != nil {
		leave()
		return nil, err
	}
	connections, files := newConnections()
	c.files = files
	c.server = &http.Server{
		BaseContext:    func(net.Listener) context.Context { return life },
		Handler:        c.limited(mux),
		ReadTimeout:    controlRead,
		IdleTimeout:    controlRead,
		MaxHeaderBytes: controlHeader,
		ConnState:      noteIn(connections),
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	c.serving.Go(func() {
		if err := c.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("the control socket is closed", "error", err)
		}
	})
	return c, nil
}

// Offer is Serve for a run that goes on without a socket where none can be made: the log says so. close, which is never
// nil, ends it.
func Offer(dir string, p *engine.Pipeline, log *slog.Logger, h words.Hints) (close func()) {
	served, err := Serve(dir, p, log, h)
	if err != nil {
		log.Warn("no control socket: the commands state, dlq, events and doctor cannot reach this run until it has ended", "error", err)
		return func() {}
	}
	return served.Close
}

// Close returns when no answer is under way any more.
func (c *Server) Close() {
	c.leave()
	ctx, cancel := context.WithTimeout(context.Background(), controlGrace)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
	for range controlCallers { // no caller is left, and no new one gets in
		c.callers <- struct{}{}
	}
	c.serving.Wait()
	c.files.Close()
	_ = os.Remove(filepath.Join(c.dir, Name))
}

// limited bounds the callers, and names the pipeline.
func (c *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case c.callers <- struct{}{}:
		default:
			http.Error(w, "too many callers at once: try again", http.StatusServiceUnavailable)
			return
		}
		defer func() { <-c.callers }()
		if r.Method != http.MethodPost { // those bound it themselves
			r.Body = http.MaxBytesReader(w, r.Body, 0)
		}
		w.Header().Set(PipelineHeader, c.pipeline.Name())
		next.ServeHTTP(w, r)
	})
}

func (c *Server) status(w http.ResponseWriter, _ *http.Request) {
	data, err := json.Marshal(wire.ReportOf(c.pipeline.Status()))
	if err != nil {
		http.Error(w, fmt.Sprintf("encode the status: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = (&patient{ResponseWriter: w}).Write(append(data, '\n'))
}

func (c *Server) state(w http.ResponseWriter, r *http.Request) {
	stage := r.PathValue("stage")
	view := wire.StateView{
		One:  func(key string) (json.RawMessage, error) { return c.pipeline.StateOf(stage, key) },
		Each: func(fn func(string, json.RawMessage) error) error { return c.pipeline.State(stage, fn) },
	}
	var key *string
	if query := r.URL.Query(); query.Has("key") {
		value := query.Get("key")
		key = &value
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := &patient{ResponseWriter: w}
	err := view.Write(out, key)
	c.end(w, out, err)
}

// end ends an answer that may have begun.
func (c *Server) end(w http.ResponseWriter, out *patient, err error) {
	switch {
	case err == nil:
	case out.begun:
		c.log.Debug("an answer on the control socket was cut off", "error", err)
		panic(http.ErrAbortHandler) // the caller must not take it for whole
	case errors.Is(err, engine.ErrNoState):
		http.Error(w, c.hints.Explain(err), http.StatusNotFound)
	default:
		http.Error(w, c.hints.Explain(err), http.StatusInternalServerError)
	}
}

// patient gives the caller some time for each piece, and not more.
type patient struct {
	http.ResponseWriter
	begun bool
}

// Write writes a piece.
func (p *patient) Write(data []byte) (int, error) {
	p.begun = true
	if err := http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(controlWrite)); err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(data)
}
