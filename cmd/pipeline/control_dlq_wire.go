package main

import (
	"time"

	"penstock/dlq"
)

// lettersRequest asks for something to be done with letters. Its names are
// those of package dlq; key and error are any bytes, in base64.
type lettersRequest struct {
	IDs           []string   `json:"ids,omitempty"`
	Stage         string     `json:"stage,omitempty"`
	Input         string     `json:"input,omitempty"`
	Reason        dlq.Reason `json:"reason,omitempty"`
	Since         time.Time  `json:"since,omitzero"`
	Until         time.Time  `json:"until,omitzero"`
	Key           []byte     `json:"key,omitempty"`
	Error         []byte     `json:"error,omitempty"`
	MinRound      int        `json:"minRound,omitempty"`
	WithoutValues bool       `json:"withoutValues,omitempty"`
	Unreadable    bool       `json:"unreadable,omitempty"`

	Order order `json:"order,omitempty"` // of select
	All   bool  `json:"all,omitempty"`   // of watch: begin with those that are there

	// Of replay.
	Sequence uint64        `json:"sequence,omitempty"`
	To       string        `json:"to,omitempty"`
	Value    *[]byte       `json:"value,omitempty"`
	Rounds   int           `json:"maxRounds,omitempty"`
	Pause    time.Duration `json:"pause_ns,omitempty"`
}

func requestOf(f dlq.Filter) lettersRequest {
	return lettersRequest{
		IDs:           f.IDs,
		Stage:         f.Stage,
		Input:         f.Input,
		Reason:        f.Reason,
		Since:         f.Since,
		Until:         f.Until,
		Key:           []byte(f.Key),
		Error:         []byte(f.Error),
		MinRound:      f.MinRound,
		WithoutValues: f.WithoutValues,
		Unreadable:    f.Unreadable,
	}
}

func requestOfReplay(r replayRequest) lettersRequest {
	request := requestOf(r.Filter)
	request.Sequence, request.To, request.Value, request.Rounds, request.Pause = r.Sequence, r.To, r.Value, r.Rounds, r.Pause
	return request
}

func (r lettersRequest) filter() dlq.Filter {
	return dlq.Filter{
		IDs:           r.IDs,
		Stage:         r.Stage,
		Input:         r.Input,
		Reason:        r.Reason,
		Since:         r.Since,
		Until:         r.Until,
		Key:           string(r.Key),
		Error:         string(r.Error),
		MinRound:      r.MinRound,
		WithoutValues: r.WithoutValues,
		Unreadable:    r.Unreadable,
	}
}

func (r lettersRequest) selection() selection { return selection{Filter: r.filter(), Order: r.Order} }

func (r lettersRequest) replay() replayRequest {
	return replayRequest{Filter: r.filter(), Sequence: r.Sequence, To: r.To, Value: r.Value, Rounds: r.Rounds, Pause: r.Pause}
}
