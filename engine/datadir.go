package engine

import "penstock/engine/internal/datadir"

// ErrLocked says that another process uses the data directory.
var ErrLocked = datadir.ErrLocked

// ErrElsewhere says that the channels of a data directory are not on the server
// that was named, or that none was named.
var ErrElsewhere = datadir.ErrElsewhere

// ErrNewerVersion says that a newer version of Penstock wrote a data directory, or
// something in it or in its channels. It is not damaged: that version reads it.
var ErrNewerVersion = datadir.ErrNewerVersion
