package layout

import (
	"encoding/json"
	"fmt"
	"maps"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/ports"
	"penstock/internal/format"
)

// Note is what the directory says.
type Note struct {
	Stages map[string]plan.Layout  // of the stages whose number of partitions was changed
	Counts map[string]plan.Carried // by instance
	Moving map[string]plan.Layout  // what a change that is under way leads to; what there is of it counts for nothing
}

// stored is the note as it is written.
type stored struct {
	Format int                     `json:"format"`
	Stages map[string]plan.Layout  `json:"stages,omitempty"`
	Counts map[string]plan.Carried `json:"counts,omitempty"`
	Moving map[string]plan.Layout  `json:"moving,omitempty"`
}

const name = "layout"

// Reader is what has notes: the store, or a copy of it.
type Reader interface {
	Note(name string) ([]byte, bool, error)
}

// Read reads the note; without one it is empty. One of a newer build is format.ErrNewer.
func Read(from Reader) (Note, error) {
	n := Note{Stages: map[string]plan.Layout{}, Counts: map[string]plan.Carried{}, Moving: map[string]plan.Layout{}}
	data, found, err := from.Note(name)
	if err != nil {
		return n, fmt.Errorf("read in which instances the stages run: %w", err)
	}
	if !found {
		return n, nil
	}
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return n, fmt.Errorf("read in which instances the stages run: %w", err)
	}
	if s.Format > format.Layout {
		return n, format.Newer("the note of the instances of stages", uint64(s.Format), format.Layout)
	}
	maps.Copy(n.Stages, s.Stages)
	maps.Copy(n.Counts, s.Counts)
	maps.Copy(n.Moving, s.Moving)
	return n, nil
}

// Of is the layout of a stage; false: its number of partitions was never changed.
func (n Note) Of(stage string) (plan.Layout, bool) {
	l, found := n.Stages[stage]
	return l, found
}

// First is the number of the first instance of a stage.
func (n Note) First(stage string) int { return n.Stages[stage].First }

// IsLeft says that an instance, by its name, does not count: it is of before a change, or of one that is not decided.
func (n Note) IsLeft(instance string) bool {
	id, err := plan.ParseInstance(instance)
	return err == nil && (id.Number < n.First(id.Stage) || n.Moving[id.Stage].Has(id.Number))
}

// Decided is the note in which what is moving has moved. The counts are those from then on.
func (n Note) Decided(counts map[string]plan.Carried) Note {
	d := Note{Stages: maps.Clone(n.Stages), Counts: counts}
	maps.Copy(d.Stages, n.Moving)
	return d
}

// Write keeps the note. It is durable when Write returns.
func (n Note) Write(to ports.Notes) error {
	data, err := json.Marshal(stored{format.Layout, n.Stages, n.Counts, n.Moving})
	if err == nil {
		err = to.PutNote(name, data)
	}
	if err != nil {
		return fmt.Errorf("record in which instances the stages run: %w", err)
	}
	return nil
}
