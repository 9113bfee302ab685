package task

import (
	"context"
	"slices"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
)

// In a keyed stage only the order of each key counts. So a message that failed
// and waits for its next attempt is overtaken by those of other keys; those of
// its own wait behind it. What is committed then is a position with gaps: the
// offset of the first that waits, and which of those above it wait too. They
// stay in the channel, which bounds how far the others get ahead.

// maxWaiting bounds the messages of an input that are overtaken. When they are
// so many the input waits.
const maxWaiting = 1024

// overtaken are the messages of an input that others have overtaken.
type overtaken struct {
	waiting     []waiting      // by offset
	waitingKeys map[string]int // how many of each key
	nextDue     time.Time      // none of them may come before
	lastWaited  bool           // the last head was one of them
	kept        int64          // bytes of frames that are only kept because a message of them waits
}

// waiting is a message that was overtaken.
type waiting struct {
	Peeked
	key      string
	sequence uint64 // of its frame
	trace    channel.Trace
	behind   bool      // an earlier one of its key waits, too
	until    time.Time // it was answered with Snooze
}

// offers says whether an input has a message that may be called now, and makes
// it the head.
func (t *Task) offers(ctx context.Context, i *Input) bool {
	if len(i.waiting) == 0 {
		return t.offersNext(ctx, i)
	}
	// Neither may starve the other.
	if i.lastWaited {
		i.lastWaited = false
		return t.offersNext(ctx, i) || t.offersWaiting(i)
	}
	return t.offersWaiting(i) || t.offersNext(ctx, i)
}

// offersNext says whether the message under the cursor may be called now, or
// one behind it that may overtake it.
func (t *Task) offersNext(ctx context.Context, i *Input) bool {
	for i.peek() {
		if i.held || !i.Until.IsZero() && t.Run.Clock.Now().Before(i.Until) {
			return false
		}
		if len(t.Failures.Records) == 0 && len(i.waiting) == 0 {
			return true
		}
		delayed := t.isDelayed(i, t.Run.Clock.Now())
		if !delayed && len(i.waiting) == 0 {
			return true
		}
		if i.Input.Key == nil {
			return !delayed
		}
		key, known := t.keyOf(ctx, i)
		behind := known && i.waitingKeys[key] > 0
		if !delayed && !behind {
			return true
		}
		if !known || !t.mayOvertake(i) {
			return false
		}
		i.overtake(waiting{key: key, behind: behind})
	}
	return false
}

// mayOvertake says whether one more message may wait while others go on. Slots
// are left for failures of the heads of all inputs.
func (t *Task) mayOvertake(i *Input) bool {
	return len(i.waiting) < maxWaiting && t.Failures.free() > len(t.Inbox.Inputs) && !t.Run.Quarantine.IsOn()
}

// keyOf is the key of the head. It is not known when the user's codec or key
// function fails: then the message fails when it is called.
func (t *Task) keyOf(ctx context.Context, i *Input) (key string, known bool) {
	t.call = t.headCall(i, t.failureOf(i))
	t.mark() // of nothing: a failure must not undo the call before
	t.Batch.begin(i.head.Message.Time)
	err := t.invoke(ctx, func() (err error) {
		key, err = i.Input.Key(i.head.Message.Value)
		return err
	})
	t.call = call{}
	return key, err == nil
}

// offersWaiting makes the first that is due the head.
func (t *Task) offersWaiting(i *Input) bool {
	now := t.Run.Clock.Now()
	if now.Before(i.nextDue) {
		return false
	}
	i.unpick()
	next := now.Add(time.Hour)
	for k := range i.waiting {
		w := &i.waiting[k]
		if w.behind {
			continue
		}
		due := w.until
		if f := t.Failures.of(Place{i.String(), w.Offset}); f != nil && f.Due.After(due) {
			due = f.Due
		}
		if !due.After(now) {
			i.pick(k)
			return true
		}
		if due.Before(next) {
			next = due
		}
	}
	i.nextDue = next
	return false
}

func (t *Task) hasWaiting() bool {
	for _, i := range t.Inbox.Inputs {
		if len(i.waiting) > 0 {
			return true
		}
	}
	return false
}

// overtake moves the cursor behind the head, which waits.
func (i *Input) overtake(w waiting) {
	w.Peeked = i.head
	w.sequence, w.trace = i.origin()
	i.waiting = append(i.waiting, w)
	if i.waitingKeys == nil {
		i.waitingKeys = map[string]int{}
	}
	i.waitingKeys[w.key]++
	i.nextDue = time.Time{}
	i.advance()
}

// addWaiting adds to a position the messages that wait, and those that waited
// when the cursor went back and are before it.
func (i *Input) addWaiting(p *frame.Position) {
	if len(i.waiting) > 0 {
		p.Sequence = i.waiting[0].sequence
	}
	for k := range i.waiting {
		p.Waiting = append(p.Waiting, i.waiting[k].Offset)
	}
	from, _ := slices.BinarySearch(i.gaps.Waiting, i.next)
	p.Waiting = append(p.Waiting, i.gaps.Waiting[from:]...)
	reached := max(i.next, i.gaps.Reached)
	if p.Offset = reached; len(p.Waiting) > 0 {
		p.Offset, p.Reached = p.Waiting[0], reached
	}
}

// unconsumed is the first offset from the cursor on that was not consumed before
// the cursor went back. The cursor itself does not pass consumed offsets whose
// frame was let go: no frame may follow that would move it.
func (i *Input) unconsumed() uint64 {
	if i.next >= i.gaps.Reached {
		return i.next
	}
	if from, _ := slices.BinarySearch(i.gaps.Waiting, i.next); from < len(i.gaps.Waiting) {
		return i.gaps.Waiting[from]
	}
	return i.gaps.Reached
}

// snooze keeps the head from coming again before a time.
func (i *Input) snooze(until time.Time) {
	if i.picked == 0 {
		i.Until = until
		return
	}
	i.waiting[i.picked-1].until, i.nextDue = until, time.Time{}
}

// pick makes a message that waits the head, instead of that under the cursor.
func (i *Input) pick(k int) {
	i.aside, i.asideIsHead = i.head, i.hasHead
	i.head, i.hasHead, i.picked, i.lastWaited = i.waiting[k].Peeked, true, k+1, true
}

// unpick makes the message under the cursor the head again.
func (i *Input) unpick() {
	if i.picked > 0 {
		i.head, i.hasHead, i.picked = i.aside, i.asideIsHead, 0
	}
}

// takePicked takes the head, which waited. The next of its key may come.
func (i *Input) takePicked() {
	k := i.picked - 1
	key := i.waiting[k].key
	i.unpick()
	i.waiting = append(i.waiting[:k], i.waiting[k+1:]...)
	i.nextDue = time.Time{}
	if i.waitingKeys[key]--; i.waitingKeys[key] == 0 {
		delete(i.waitingKeys, key)
		return
	}
	for ; k < len(i.waiting); k++ {
		if i.waiting[k].key == key {
			i.waiting[k].behind = false
			return
		}
	}
}
