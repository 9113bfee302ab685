package diskspace

import "penstock/checkpoint"

// Level says how full the fullest disk is.
type Level int32

const (
	Enough Level = iota
	Low          // the sources wait
	Full         // all stages wait
)

// The states of observe.DiskStatus.
func (l Level) String() string { return [...]string{"enough", "low", "full"}[l] }

const (
	mostMinFree  = 1 << 30 // the default is never more
	minFreeShare = 8       // of the file system, for the default
)

// boundOf is what has to be free on a file system of this size.
func (w *Watch) boundOf(size int64) int64 {
	if w.config.MinFree > 0 {
		return max(w.config.MinFree, 4*checkpoint.KeptFree(size))
	}
	return min(size/minFreeShare, mostMinFree)
}

// levelOf goes down at the bounds, and up again when there is a quarter more.
func levelOf(before Level, free, bound int64) Level {
	full, low := bound/2, bound
	switch {
	case free < full, before == Full && free < full+full/4:
		return Full
	case free < low, before >= Low && free < low+low/4:
		return Low
	}
	return Enough
}
