package telemetry

import (
	"fmt"
	"net/http"
	"time"

	"penstock/telemetry/internal/web"
	"penstock/telemetry/record"
)

// recording answers with what is kept of the last hour, to be played again.
func (s *Server) recording(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", s.pipeline.Name()+".jsonl"))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * web.WriteTime))
	samples := s.recorder.Since(time.Time{})
	if err := record.WriteRecording(w, s.pipeline.Graph(), samples, s.recorder.EventsAfter(0)); err != nil {
		panic(http.ErrAbortHandler) // who asked must not take it for whole
	}
}
