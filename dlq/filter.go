package dlq

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Filter selects letters: those to which every part of it applies. Its zero value selects all.
// Its JSON form is what asks for letters over a socket; there Key and Error, which may be any bytes, are in base64.
type Filter struct {
	IDs      []string  `json:"ids,omitempty"`      // these; one that there is no letter for is passed over
	Stage    string    `json:"stage,omitempty"`    // which gave up on the message that came to it from its input
	Input    string    `json:"input,omitempty"`    // "stage" or "stage/branch"
	Reason   Reason    `json:"reason,omitempty"`   // of the last round
	Since    time.Time `json:"since,omitzero"`     // written then or later
	Until    time.Time `json:"until,omitzero"`     // written before then
	Key      string    `json:"-"`                  // exactly
	Error    string    `json:"-"`                  // within the error or the panic value, in capitals or not
	MinRound int       `json:"minRound,omitempty"` // this round or a later one

	// Unreadable also selects messages in the stream that are no letters, and have that as their reason: see
	// Letter.Unreadable. Without it reading passes over them and ends with ErrDamaged. IDs such as "unreadable:17" name
	// them in any case.
	Unreadable bool `json:"unreadable,omitempty"`
	// WithoutValues leaves the values on the server: Letter.ValueOmitted and ValueBytes stand for them. It is the way to
	// list very many.
	WithoutValues bool `json:"withoutValues,omitempty"`
}

func (f Filter) check() error {
	if f.Stage != "" {
		if err := checkName("stage", f.Stage); err != nil {
			return err
		}
	}
	if f.Input != "" {
		if err := (origin{stage: "any", input: f.Input}).check(); err != nil {
			return err
		}
	}
	for _, id := range f.IDs {
		if _, ok := unreadableSequence(id); ok {
			continue
		}
		if _, err := parseID(id); err != nil {
			return err
		}
	}
	if f.Reason != "" && !validReason.MatchString(string(f.Reason)) {
		return fmt.Errorf("%w reason %q: use one of the Reason constants", ErrInvalid, f.Reason)
	}
	return nil
}

// subject is the part of the filter that the server applies.
func (f Filter) subject(pipeline string) string {
	stage, input := "*", "*"
	if f.Stage != "" {
		stage = f.Stage
	}
	if f.Input != "" {
		input = inputToken(f.Input)
	}
	if f.Unreadable && f.Input == "" { // also subjects of another shape
		return fmt.Sprintf("%s.%s.*.dead.>", pipeline, stage)
	}
	return fmt.Sprintf("%s.%s.*.dead.%s.*.*", pipeline, stage, input)
}

func (f Filter) matches(l Letter) bool {
	switch {
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, l.ID()),
		f.Stage != "" && f.Stage != l.Stage,
		f.Input != "" && f.Input != l.Input,
		f.Reason != "" && f.Reason != l.Reason,
		!f.Since.IsZero() && l.At.Before(f.Since),
		!f.Until.IsZero() && !l.At.Before(f.Until),
		f.Key != "" && f.Key != l.Key,
		l.Round < f.MinRound:
		return false
	}
	return f.Error == "" || holds(l.Error, f.Error) || holds(l.Panic, f.Error)
}

// mayMatch is a quick look at the headers: false only if matches is.
func (f Filter) mayMatch(h nats.Header) bool {
	r := headerReader{header: h}
	if checkFormat(h.Get(headerFormat)) != nil {
		return true
	}
	if f.Reason == ReasonUnreadable {
		return true
	}
	if f.Reason != "" && string(f.Reason) != h.Get(headerReason) || f.MinRound > 1 && r.optionalInt(headerRound) < f.MinRound {
		return false
	}
	return f.Error == "" || holds(r.text(headerError), f.Error) || holds(r.text(headerPanic), f.Error) || r.err != nil
}

func holds(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
