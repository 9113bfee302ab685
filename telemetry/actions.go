package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// actionTime bounds how long a stage may take to stop or start.
const actionTime = 20 * time.Second

// act restarts, pauses or resumes a stage or group.
func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	name, action := r.PathValue("stage"), r.PathValue("action")
	do, known := map[string]func(context.Context, string) error{
		"restart": s.pipeline.RestartStage, "pause": s.pipeline.StopStage, "resume": s.pipeline.StartStage,
	}[action]
	if !known {
		writeError(w, fmt.Errorf("%w: unknown action %q: use restart, pause or resume", errBadRequest, action))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), actionTime)
	defer cancel()
	if err := do(ctx, name); err != nil {
		writeError(w, err)
		return
	}
	s.log.Info("an action was requested over HTTP", "action", action, "stage", name, "from", r.RemoteAddr)
	writeJSON(w, http.StatusOK, struct{}{})
}

// drain lets the stages finish what there is, and ends the run.
func (s *Server) drain(w http.ResponseWriter, r *http.Request) {
	if s.config.Drain == nil {
		writeError(w, fmt.Errorf("%w: this program does not offer draining", errBadRequest))
		return
	}
	s.log.Info("an action was requested over HTTP", "action", "drain", "from", r.RemoteAddr)
	s.config.Drain()
	writeJSON(w, http.StatusAccepted, struct{}{})
}
