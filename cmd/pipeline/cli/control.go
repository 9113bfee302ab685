package cli

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

	"penstock/engine"
)

// Bounds of the control server.
const (
	controlCallers = 16               // at once; others are turned away
	controlWrite   = time.Minute      // for one piece of an answer
	controlRead    = 10 * time.Second // for a request
	controlHeader  = 16 << 10         // bytes
	controlGrace   = time.Second      // for answers under way at the end
)

// pipelineHeader names the pipeline in every answer.
const pipelineHeader = "Penstock-Pipeline"

// control serves the control socket while a pipeline runs.
type control struct {
	dir      string
	pipeline *engine.Pipeline
	log      *slog.Logger
	hints    hints
	server   *http.Server
	callers  chan struct{} // a place for each answer under way
	serving  sync.WaitGroup
	leave    context.CancelFunc // ends the answers that would not end by themselves
}

// serveControl begins to serve; close ends it. The directory must be locked
// all the time.
func serveControl(dir string, p *engine.Pipeline, log *slog.Logger, h hints) (*control, error) {
	c := &control{dir: dir, pipeline: p, log: log, hints: h, callers: make(chan struct{}, controlCallers)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", c.status)
	mux.HandleFunc("GET /v1/state/{stage}", c.state)
	mux.HandleFunc("GET /v1/events", c.allEvents)
	mux.HandleFunc("GET /v1/events/{stage}", c.events)
	mux.HandleFunc("GET /v1/examination", c.examination)
	c.handleLetters(mux)
	life, leave := context.WithCancel(context.Background())
	c.leave = leave
	c.server = &http.Server{
		BaseContext:    func(net.Listener) context.Context { return life },
		Handler:        c.limited(mux),
		ReadTimeout:    controlRead,
		IdleTimeout:    controlRead,
		MaxHeaderBytes: controlHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	listener, err := listen(dir)
	if err != nil {
		leave()
		return nil, err
	}
	c.serving.Go(func() {
		if err := c.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("the control socket is closed", "error", err)
		}
	})
	return c, nil
}

// close returns when no answer is under way any more.
func (c *control) close() {
	c.leave()
	ctx, cancel := context.WithTimeout(context.Background(), controlGrace)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
	for range controlCallers { // nobody is left, and nobody gets in any more
		c.callers <- struct{}{}
	}
	c.serving.Wait()
	_ = os.Remove(filepath.Join(c.dir, socketName))
}

// limited bounds the callers, and names the pipeline.
func (c *control) limited(next http.Handler) http.Handler {
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
		w.Header().Set(pipelineHeader, c.pipeline.Name())
		next.ServeHTTP(w, r)
	})
}

func (c *control) status(w http.ResponseWriter, _ *http.Request) {
	data, err := json.Marshal(reportOf(c.pipeline.Status()))
	if err != nil {
		http.Error(w, fmt.Sprintf("encode the status: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = (&patient{ResponseWriter: w}).Write(append(data, '\n'))
}

func (c *control) state(w http.ResponseWriter, r *http.Request) {
	stage := r.PathValue("stage")
	view := stateView{
		one:  func(key string) (json.RawMessage, error) { return c.pipeline.StateOf(stage, key) },
		each: func(fn func(string, json.RawMessage) error) error { return c.pipeline.State(stage, fn) },
	}
	var key *string
	if query := r.URL.Query(); query.Has("key") {
		value := query.Get("key")
		key = &value
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := &patient{ResponseWriter: w}
	err := view.write(out, key)
	c.end(w, out, err)
}

// end ends an answer that may have begun.
func (c *control) end(w http.ResponseWriter, out *patient, err error) {
	switch {
	case err == nil:
	case out.begun:
		c.log.Debug("an answer on the control socket was cut off", "error", err)
		panic(http.ErrAbortHandler) // the caller must not take it for whole
	case errors.Is(err, engine.ErrNoState):
		http.Error(w, c.hints.explain(err), http.StatusNotFound)
	default:
		http.Error(w, c.hints.explain(err), http.StatusInternalServerError)
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
