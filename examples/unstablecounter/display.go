package unstablecounter

import (
	"context"

	"penstock/engine"
)

// Shown is the display's state.
type Shown struct {
	Last   uint8  `json:"last"`   // the count it shows
	Values uint64 `json:"values"` // how many it has shown
}

// show logs at the level debug, as there are 100 counts a second.
func show(ctx context.Context, s *Shown, m engine.Message[uint8]) error {
	s.Last = m.Value
	s.Values++
	engine.Logger(ctx).Debug("display", "count", m.Value)
	return nil
}
