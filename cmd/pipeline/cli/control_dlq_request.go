package cli

import (
	"encoding/json"
	"time"

	"penstock/dlq"
)

// lettersRequest asks for something to be done with letters: one JSON object of
// the filter and what belongs to the verb.
type lettersRequest struct {
	dlq.Filter
	lettersVerb
}

// lettersVerb is what belongs to single verbs.
type lettersVerb struct {
	Order order `json:"order,omitempty"` // of select
	All   bool  `json:"all,omitempty"`   // of watch: begin with those that are there

	// Of replay.
	Sequence uint64        `json:"sequence,omitempty"`  // only this write of the letter; 0: whatever is there
	To       string        `json:"to,omitempty"`        // another stage
	Value    *[]byte       `json:"value,omitempty"`     // in place of the letter's, encoded
	Rounds   int           `json:"maxRounds,omitempty"` // as dlq.ReplayOptions.MaxRounds
	Pause    time.Duration `json:"pause_ns,omitempty"`  // between two of them
}

// selectLetters asks for the letters of a filter, in an order.
func selectLetters(f dlq.Filter, by order) lettersRequest {
	return lettersRequest{f, lettersVerb{Order: by}}
}

// MarshalJSON joins the two objects.
func (r lettersRequest) MarshalJSON() ([]byte, error) {
	filter, err := json.Marshal(r.Filter)
	if err != nil {
		return nil, err
	}
	verb, err := json.Marshal(r.lettersVerb)
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
func (r *lettersRequest) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &r.Filter); err != nil {
		return err
	}
	return json.Unmarshal(data, &r.lettersVerb)
}
