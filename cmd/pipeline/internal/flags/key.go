package flags

import "github.com/alecthomas/kong"

// Key is a key of a keyed stage, which may be empty. Text is nil when it is not given.
type Key struct{ Text *string }

var _ kong.MapperValue = (*Key)(nil)

// Decode reads the flag.
func (k *Key) Decode(ctx *kong.DecodeContext) error {
	text, err := Word(ctx, "key")
	k.Text = &text
	return err
}
