package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"penstock/engine/observe"
	"penstock/engine/redact"
	"penstock/telemetry/drawing"
	"penstock/telemetry/internal/web"
)

const dotType = "text/vnd.graphviz; charset=utf-8"

func (s *Server) graphDOT(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", dotType)
	now := s.recorder.Newest()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(web.WriteTime))
	_ = drawing.WriteDOT(w, s.pipeline.Graph(), &now)
}

func (s *Server) mode(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, mode{Drain: s.config.Drain != nil, Peek: s.config.Peek})
}

func (s *Server) graph(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.pipeline.Graph())
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.pipeline.Status())
}

func (s *Server) stages(w http.ResponseWriter, _ *http.Request) {
	writeList(w, s.pipeline.Status().Stages)
}

func (s *Server) stage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("stage")
	for _, stage := range s.pipeline.Status().Stages {
		if stage.Name == name {
			writeJSON(w, http.StatusOK, stage)
			return
		}
	}
	writeError(w, fmt.Errorf("%w: there is no stage %q, or the pipeline is still starting", errNotFound, name))
}

func (s *Server) channels(w http.ResponseWriter, _ *http.Request) {
	writeList(w, s.pipeline.Status().Channels)
}

func (s *Server) sample(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.recorder.Newest())
}

// samples answers with those of the last seconds: ?seconds=300, an hour at most.
func (s *Server) samples(w http.ResponseWriter, r *http.Request) {
	seconds, err := numberOf(r, "seconds", 300)
	if err != nil {
		writeError(w, err)
		return
	}
	writeList(w, s.recorder.Since(time.Now().Add(-time.Duration(min(seconds, 3600))*time.Second)))
}

// events answers with those of this process after a number: ?after=17.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	after, err := numberOf(r, "after", 0)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, s.recorder.EventsAfter(after))
}

func numberOf(r *http.Request, name string, otherwise uint64) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %s must be a number, not %q", errBadRequest, name, text)
	}
	return n, nil
}

// stageEvents answers with a stage's history, also that of earlier processes.
func (s *Server) stageEvents(w http.ResponseWriter, r *http.Request) {
	events, err := s.pipeline.History(r.PathValue("stage"))
	if err != nil {
		writeError(w, err)
		return
	}
	if events == nil {
		events = []observe.StageEvent{}
	}
	for k := range events {
		e := &events[k]
		e.Error, e.Stack, e.Detail = redact.Text(e.Error), redact.Text(e.Stack), redact.Text(e.Detail)
	}
	writeJSON(w, http.StatusOK, events)
}

// StageState is the answer about a committed state. Keys is nil for a stage with
// one state.
type StageState struct {
	State json.RawMessage            `json:"state,omitempty"`
	Keys  map[string]json.RawMessage `json:"keys,omitempty"`
	More  bool                       `json:"more,omitempty"` // there are further keys
}

const (
	keysShown  = 100
	stateBytes = 1 << 20
)

// stageState answers with the committed state: ?key=… for one key.
func (s *Server) stageState(w http.ResponseWriter, r *http.Request) {
	stage, query := r.PathValue("stage"), r.URL.Query()
	if query.Has("key") {
		state, err := s.pipeline.StateOf(stage, query.Get("key"))
		if err != nil {
			writeError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, StageState{State: state})
		return
	}
	var answer StageState
	bytes := 0
	err := s.pipeline.State(stage, func(key string, state json.RawMessage) error {
		if bytes += len(state); len(answer.Keys) == keysShown || bytes > stateBytes && len(answer.Keys) > 0 {
			answer.More = true
			return errEnough
		}
		if answer.Keys == nil {
			answer.Keys = map[string]json.RawMessage{}
		}
		answer.Keys[key] = state
		return nil
	})
	if err != nil && !answer.More {
		writeError(w, err)
		return
	}
	if state, single := answer.Keys[""]; single && len(answer.Keys) == 1 && !s.isKeyed(stage) {
		answer = StageState{State: state}
	}
	writeJSON(w, http.StatusOK, answer)
}

var errEnough = errors.New("enough")

func (s *Server) isKeyed(stage string) bool {
	for _, g := range s.pipeline.Graph().Stages {
		if g.Name == stage {
			return g.Keyed
		}
	}
	return false
}
