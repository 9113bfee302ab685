package cli

import (
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/flags"
)

// groups are the headings of the flags in the help.
var groups = []kong.Group{
	{Key: "where", Title: "Where"},
	{Key: "nats", Title: "NATS server (default: one inside the process)"},
	{Key: "how", Title: "How"},
	{Key: "telemetry", Title: "Telemetry"},
	{Key: "guard", Title: "Guard"},
	{Key: "which", Title: "Which dead letters"},
}

// syncing is how often the embedded server syncs: "always", or an interval.
type syncing time.Duration

var _ kong.MapperValue = (*syncing)(nil)

// Decode reads the flag.
func (s *syncing) Decode(ctx *kong.DecodeContext) error {
	text, err := flags.Word(ctx, "always|duration")
	if err != nil {
		return err
	}
	if text == "always" {
		*s = 0
		return nil
	}
	value, err := flags.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is neither \"always\" nor an interval above 0, such as 1s", text)
	}
	*s = syncing(value)
	return nil
}

// key is a key of a keyed stage, which may be empty.
type key struct{ text *string }

var _ kong.MapperValue = (*key)(nil)

// Decode reads the flag.
func (k *key) Decode(ctx *kong.DecodeContext) error {
	text, err := flags.Word(ctx, "key")
	k.text = &text
	return err
}
