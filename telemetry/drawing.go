package telemetry

import (
	"encoding/json"
	"fmt"
	"net/http"

	"penstock/engine"
)

// drawing answers with the graph.dot of a graph and a sample that are sent: those
// of a recording that the page plays.
func drawing(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Graph  engine.Graph `json:"graph"`
		Sample *Sample      `json:"sample"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		writeError(w, fmt.Errorf("%w: the body has to be {\"graph\": …, \"sample\": …}: %w", errBadRequest, err))
		return
	}
	if err := checkGroups(asked.Graph.Groups); err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", dotType)
	_ = WriteDOT(w, asked.Graph, asked.Sample)
}

// checkGroups refuses groups that would be in each other: they are drawn by
// recursion, and come from a file of anybody's.
func checkGroups(groups []engine.GraphGroup) error {
	seen := map[string]bool{}
	for _, g := range groups {
		if g.Name == "" || seen[g.Name] {
			return fmt.Errorf("%w: the name of a group is empty or not the only one: %q", errBadRequest, g.Name)
		}
		seen[g.Name] = true
	}
	return nil
}
