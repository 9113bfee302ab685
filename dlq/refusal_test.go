package dlq

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// explainedRefusal is a refusal with its remedy, as the engine's JetStream gives it.
type explainedRefusal struct{ *jetstream.APIError }

func (e explainedRefusal) Error() string  { return "publishing: " + e.APIError.Error() + ", sadly" }
func (e explainedRefusal) Unwrap() error  { return e.APIError }
func (e explainedRefusal) Remedy() string { return "raise max_msgs" }

// The limit comes from the error's values: no text around them hides it, or gets into it.
func TestFullErrorCarriesItsLimit(t *testing.T) {
	t.Parallel()
	refusal := &jetstream.APIError{Code: 503, ErrorCode: 10077, Description: "maximum messages exceeded"}
	for want, cause := range map[string]error{
		"maximum messages exceeded":                 fmt.Errorf("publish: %w: on stream x", refusal),
		"maximum messages exceeded: raise max_msgs": fmt.Errorf("publish: %w: on stream x", explainedRefusal{refusal}),
	} {
		err := fmt.Errorf("keep it: %w", newFullError(refusal, cause))
		var full *FullError
		if !errors.As(err, &full) || full.Because != want || !errors.Is(err, ErrFull) || !errors.Is(err, refusal) {
			t.Errorf("%v: %+v", err, full)
		}
	}
}
