package runcmd

import (
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/flags"
)

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
