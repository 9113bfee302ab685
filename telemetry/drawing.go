package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"penstock/engine/observe"
	"penstock/telemetry/drawing"
	"penstock/telemetry/record"
)

// drawSent answers with the graph.dot of a graph and a sample that are sent: those
// of a recording that the page plays.
func drawSent(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Graph  observe.Graph  `json:"graph"`
		Sample *record.Sample `json:"sample"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		writeError(w, fmt.Errorf("%w: the body must be {\"graph\": …, \"sample\": …}: %w", errBadRequest, err))
		return
	}
	if err := checkGroups(asked.Graph.Groups); err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", dotType)
	_ = drawing.WriteDOT(w, asked.Graph, asked.Sample)
}

// checkGroups refuses groups that would be in each other: they are drawn by
// recursion, and come from an untrusted file.
func checkGroups(groups []observe.GraphGroup) error {
	seen := map[string]bool{}
	for _, g := range groups {
		if g.Name == "" || seen[g.Name] {
			return fmt.Errorf("%w: the name of a group is empty or used twice: %q", errBadRequest, g.Name)
		}
		seen[g.Name] = true
	}
	return nil
}

// drawingPolicy lets a drawing that is opened by itself have and do nothing.
const drawingPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

func (s *Server) graphSVG(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	now := s.recorder.Newest()
	_ = drawing.WriteDOT(&text, s.pipeline.Graph(), &now) // a buffer takes everything
	ctx, cancel := context.WithTimeout(r.Context(), drawing.DrawTime)
	defer cancel()
	svg, err := s.drawer.Draw(ctx, text.Bytes())
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", drawingPolicy)
	_, _ = w.Write(svg)
}
