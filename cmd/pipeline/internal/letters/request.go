package letters

import (
	"encoding/json"
	"time"

	"penstock/dlq"
)

// Order is the order of what is selected.
type Order string

const (
	ByTime   Order = "time"   // in which they were written
	ByOrigin Order = "origin" // in which their messages came
)

// Request asks for something to be done with letters: one JSON object of
// the filter and what belongs to the verb.
type Request struct {
	dlq.Filter
	Verb
}

// Verb is what belongs to single verbs.
type Verb struct {
	Order Order `json:"order,omitempty"` // of select
	All   bool  `json:"all,omitempty"`   // of watch: begin with those that are there

	// Of replay.
	Sequence uint64        `json:"sequence,omitempty"`  // only this write of the letter; 0: whatever is there
	To       string        `json:"to,omitempty"`        // another stage
	Value    *[]byte       `json:"value,omitempty"`     // in place of the letter's, encoded
	Original bool          `json:"original,omitempty"`  // the value that was there before it was edited
	Rounds   int           `json:"maxRounds,omitempty"` // as dlq.ReplayOptions.MaxRounds
	Pause    time.Duration `json:"pause_ns,omitempty"`  // between two of them
}

// Select asks for the letters of a filter, in an order.
func Select(f dlq.Filter, by Order) Request {
	return Request{f, Verb{Order: by}}
}

// MarshalJSON joins the two objects.
func (r Request) MarshalJSON() ([]byte, error) {
	filter, err := json.Marshal(r.Filter)
	if err != nil {
		return nil, err
	}
	verb, err := json.Marshal(r.Verb)
	if err != nil {
		return nil, err
	}
	switch {
	case len(filter) == len("{}"):
		return verb, nil
	case len(verb) == len("{}"):
		return filter, nil
	}
	return append(append(filter[:len(filter)-1], ','), verb[1:]...), nil
}

// UnmarshalJSON reads both from the one object.
func (r *Request) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &r.Filter); err != nil {
		return err
	}
	return json.Unmarshal(data, &r.Verb)
}
