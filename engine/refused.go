package engine

import "penstock/engine/internal/view"

// ErrRefused is wrapped when what is on disk and what is in the channels do
// not fit together: going on would be silently wrong.
var ErrRefused = view.ErrRefused
