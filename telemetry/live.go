package telemetry

import (
	"net/http"
	"time"

	"penstock/telemetry/internal/web"
	"penstock/telemetry/record"
)

// live is the stream of what happens: an event "sample" for each look at the
// pipeline, and "event" for each Event. Who cannot keep up is cut off, and may
// come again.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	l, ok := s.hub.Join()
	if !ok {
		http.Error(w, "too many clients listen at the same time: try again later", http.StatusServiceUnavailable)
		return
	}
	defer s.hub.Leave(l)
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	first, err := record.EventMessage("sample", s.recorder.Newest())
	if err != nil || !s.pass(w, out, first) {
		return
	}
	for {
		select {
		case message, ok := <-l.News:
			if !ok || !s.pass(w, out, message) {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// pass writes a message, within a bounded time.
func (s *Server) pass(w http.ResponseWriter, out *http.ResponseController, message []byte) bool {
	if out.SetWriteDeadline(time.Now().Add(web.WriteTime)) != nil {
		return false
	}
	if _, err := w.Write(message); err != nil {
		return false
	}
	return out.Flush() == nil
}
