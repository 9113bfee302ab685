package task

import "slices"

// Frames count as read ahead from their arrival until they are used up: the
// cursor is behind them, and the committed position covers them, so that it need
// not come back. Whatever moves either of the two lets go what is used up, else a
// frame could keep the room that the next one needs, and nothing would ever be
// committed again.

// letGo drops the frames from this one to the cursor that are used up.
func (i *Input) letGo(from int) {
	for n := from; n < i.frame; {
		end := n
		for end < i.frame && i.isUsedUp(end, n == 0) {
			i.endTaken = i.endTaken || i.queue[end].Ended
			i.release(&i.queue[end])
			end++
		}
		if end == n {
			i.keep(n)
			n++
			continue
		}
		if n == 0 && i.Replays == nil {
			i.Reader.Ack(i.queue[end-1].Delivery)
		}
		i.queue = slices.Delete(i.queue, n, end)
		i.frame -= end - n
	}
}

// isUsedUp says whether a frame behind the cursor is of no more use. What it
// tells of the producer's end counts when everything before it is used up.
func (i *Input) isUsedUp(n int, first bool) bool {
	d, p := &i.queue[n], &i.Committed
	if d.Ended && !first {
		return false
	}
	next := d.Section.Next()
	switch {
	case d.Section.Count == 0:
		return first
	case len(p.Waiting) == 0 || next <= p.Offset:
		return next <= p.Offset
	}
	waits, _ := slices.BinarySearch(p.Waiting, d.Section.Base)
	return next <= p.Reached && (waits == len(p.Waiting) || p.Waiting[waits] >= next)
}

// release makes room for more to be read ahead.
func (i *Input) release(d *delivered) {
	if d.kept {
		i.kept -= i.Ahead.weight(d.Delivery)
		return
	}
	i.Ahead.Release(d.Delivery)
}

// keep lets reading go on while a frame behind the cursor waits for a message of
// its own, as far as memory may be spent on that.
func (i *Input) keep(n int) {
	d := &i.queue[n]
	if d.kept || d.Section.Base >= i.Committed.Reached || len(i.Committed.Waiting) == 0 {
		return
	}
	if w := i.Ahead.weight(d.Delivery); i.kept+w <= keptBytes {
		d.kept = true
		i.kept += w
		i.Ahead.Release(d.Delivery)
	}
}
