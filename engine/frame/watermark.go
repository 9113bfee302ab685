package frame

import "fmt"

// Watermark says how far a stream is in event time. Its zero value is that of a stream without event time. No message
// that follows has an earlier time, but for late ones.
type Watermark struct {
	Time  int64 // Unix nanoseconds; 0 unless Known
	Known bool  // there is one
	Idle  bool  // the stream knows of no message to come: others do not wait for it
}

const (
	watermarkKnown = 1
	watermarkIdle  = 2
)

func (w Watermark) isWritable() bool { return w.Known || w.Time == 0 }

// append writes w and returns its time for the next one, which is near.
func (w Watermark) append(b []byte, before int64) ([]byte, int64) {
	var flags byte
	if w.Known {
		flags |= watermarkKnown
	}
	if w.Idle {
		flags |= watermarkIdle
	}
	b = append(b, flags)
	if !w.Known {
		return b, before
	}
	return appendUvarint(b, zigzag(w.Time-before)), w.Time
}

func (r *reader) watermark(feature Features, before int64) (w Watermark) {
	flags := r.byte()
	if flags&^(watermarkKnown|watermarkIdle) != 0 {
		r.fail(ErrCorrupt, fmt.Sprintf("unknown flags %#x of a watermark", flags))
		return w
	}
	w.Known, w.Idle = flags&watermarkKnown != 0, flags&watermarkIdle != 0
	if w.Known {
		w.Time = before + unzigzag(r.number())
	}
	if flags != 0 {
		r.found |= feature
	}
	return w
}
