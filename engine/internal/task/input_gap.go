package task

import (
	"errors"
	"fmt"

	"penstock/engine/channel"
	"penstock/engine/remedy"
)

// cannotRead says why the input cannot be read. That the first messages are gone is no damage if the stage has taken
// none of them: others had, and this one came later.
func (i *Input) cannotRead(err error) error {
	var gap *channel.GapError
	if i.Committed.Offset == 0 && errors.As(err, &gap) && gap.Expected == 0 {
		return remedy.Errorf("read %s: stage %s is new in this run, or was renamed, and the messages of %s before offset %d are gone, since all other stages have taken them: "+
			"give the stage its earlier name, or start over with %v: %w", i.Input.Stream, i.Input.Stage.Name, i.Input.Stream, gap.Found, remedy.Fresh, channel.ErrGap)
	}
	return fmt.Errorf("read %s: %w", i.Input.Stream, err)
}
