package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/memory"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/register"
)

// registerOwner takes the instance over and then commits without a pause, until another one takes it over.
type registerOwner struct {
	world  *registerWorld
	number uint64
	co     *coroutine
	dead   bool
	asleep bool // it gets no turn: its machine is stopped

	taken      register.Taken
	last       frame.Frame // its view of the instance: the last commit
	sequence   uint64      // of that
	commits    int         // that it made
	unanswered int         // seals of it that got no answer, and messages of others in the register
}

var (
	_ ports.OwnedLog     = (*registerOwner)(nil)
	_ register.Successor = (*registerOwner)(nil)
	_ ports.Clock        = (*registerOwner)(nil)
)

func (o *registerOwner) String() string { return fmt.Sprintf("owner %d", o.number) }

// mayYield is where something else may come in between.
func (o *registerOwner) mayYield() {
	if !o.world.calm && o.world.chance(96) {
		o.co.pause()
	}
}

func (o *registerOwner) live() {
	w, ctx := o.world, context.Background()
	c := &register.Claimant{Log: o, Clock: o, Owner: o.number}
	before := w.oracle.rivals(o.number)
	taken, err := c.TakeOver(ctx, o)
	if lost := (*register.LostError)(nil); errors.As(err, &lost) {
		w.counts[steppedBack]++
		w.say("%s steps back: %v", o, err)
		if w.oracle.rivals(o.number) == before {
			w.violate("%s steps back, and no other has claimed", o)
		}
		return
	}
	if err != nil {
		w.violate("%s: %v", o, err)
		return
	}
	w.counts[takeOvers]++
	w.counts[claimedAgain] += uint64(taken.Claims - 1)
	if taken.Claims > 1+o.unanswered {
		w.violate("%s claimed %d times, and %d seals got no answer", o, taken.Claims, o.unanswered)
	}
	o.taken, o.sequence = taken, taken.Fence
	for o.commit(ctx) {
		if w.chance(24) && !o.trim(ctx) {
			return
		}
	}
}

// CatchUp reads the last commit before the seal. It is complete, as that of a stage with a small state is.
func (o *registerOwner) CatchUp(ctx context.Context, t *register.Taken) error {
	var last *frame.Frame
	err := o.Replay(ctx, max(t.Seen, 1), func(rec channel.Record) error {
		if rec.Sequence < t.Seal || t.Seal == 0 {
			last = rec.Frame
		}
		return nil
	})
	if err != nil || last == nil {
		return err
	}
	o.last = *last
	return nil
}

// Fence repeats it.
func (o *registerOwner) Fence(t *register.Taken) ([]byte, error) {
	f := o.last
	f.Owner, f.Epoch, f.Commit, f.Kind, f.Claim = o.number, t.Epoch, o.last.Commit+1, frame.KindFence, frame.Claim{Sequence: t.Claim}
	f.Sections = []frame.Section{{Base: o.next()}}
	f.State = frame.State{Kind: frame.StateWhole, Whole: o.words().encode()}
	o.last = f
	return frame.Append(nil, &f, frame.Options{})
}

func (o *registerOwner) next() uint64 {
	if len(o.last.Sections) == 0 {
		return 0
	}
	return o.last.Sections[0].Next()
}

func (o *registerOwner) words() registerWords { return registerWords(decodeWords(o.last.State.Whole)) }

// registerWords is the state: how many messages were written, and a hash of them.
type registerWords simWords

func (s registerWords) encode() []byte {
	data, _ := wordsCodec{}.Append(nil, simWords(s))
	return data
}

// commit publishes some messages, and says whether it is still the owner.
func (o *registerOwner) commit(ctx context.Context) bool {
	w, words := o.world, o.words()
	s := frame.Section{Base: o.next()}
	for range w.choose(3) {
		v := w.random.Uint64()
		words.Count, words.Chain = words.Count+1, mix(words.Chain, v)
		value, _ := numbers.Append(nil, v)
		s.Append(frame.Message{Value: value})
	}
	f := frame.Frame{
		Owner: o.number, Epoch: o.taken.Epoch, Commit: o.last.Commit + 1,
		State: frame.State{Kind: frame.StateWhole, Whole: words.encode()}, Sections: []frame.Section{s},
	}
	data, err := frame.Append(nil, &f, frame.Options{})
	if err != nil {
		w.violate("%s: %v", o, err)
		return false
	}
	sequence, isStored := o.publish(ctx, &f, data)
	if !isStored {
		return false
	}
	o.last, o.sequence = f, sequence
	o.commits++
	w.counts[registerCommits]++
	return true
}

// publish does what the engine does with a commit whose answer is lost.
func (o *registerOwner) publish(ctx context.Context, f *frame.Frame, data []byte) (sequence uint64, isStored bool) {
	for expected := o.sequence; ; {
		pending := o.Publish(data, expected, channel.Trace{})
		_ = o.Until(ctx, pending.Done())
		sequence, err := pending.Result()
		if err == nil {
			return sequence, true
		}
		last, found, _ := o.taken.Last(ctx, o, o.sequence)
		switch {
		case found && last.Frame.Owner == o.number && last.Frame.Epoch == f.Epoch && last.Frame.Commit == f.Commit && last.Frame.Kind.IsCommit():
			return last.Sequence, true
		case found && last.Sequence == o.sequence:
			expected = last.Tail
			continue
		case !o.taken.IsReplacedBy(last.Frame):
			o.world.violate("%s is not replaced, and finds sequence %d instead of %d", o, last.Sequence, o.sequence)
		}
		o.world.counts[fencedOwners]++
		o.world.say("%s is fenced", o)
		return 0, false
	}
}

// trim enters the owner again and trims what is before, and says whether it is still the owner.
func (o *registerOwner) trim(ctx context.Context) bool {
	w := o.world
	if err := register.Refresh(ctx, o, o, o.number, o.sequence); err != nil {
		w.say("%s does not trim: %v", o, err)
		return errors.As(err, new(*register.LostError)) && w.chance(128) // it may notice later
	}
	o.mayYield()
	if w.stream.Trim(o.sequence) {
		w.oracle.trimmed()
		w.counts[registerTrims]++
		w.say("%s trims below %d", o, w.stream.First())
	}
	return true
}

func (o *registerOwner) send(subject memory.Subject, data []byte, e memory.Expectation) *channel.Pending {
	pending, settle := channel.NewPending()
	o.world.requests = append(o.world.requests, &registerRequest{owner: o, subject: subject, data: append([]byte(nil), data...), expected: e, settle: settle})
	return pending
}

// Publish is ports.OwnedLog's, as are the others below.
func (o *registerOwner) Publish(data []byte, expected uint64, _ channel.Trace) *channel.Pending {
	return o.send(memory.Commits, data, memory.Expectation{On: memory.Commits, Last: expected})
}

func (o *registerOwner) Claim(data []byte, expected uint64) *channel.Pending {
	return o.send(memory.Register, data, memory.Expectation{On: memory.Register, Last: expected})
}

func (o *registerOwner) Seal(data []byte, claim uint64) *channel.Pending {
	return o.send(memory.Commits, data, memory.Expectation{On: memory.Register, Last: claim})
}

func (o *registerOwner) End(context.Context) (channel.Record, bool, error) {
	o.mayYield()
	defer o.mayYield()
	return o.world.stream.End()
}

func (o *registerOwner) Newest(context.Context) (channel.Record, bool, error) {
	o.mayYield()
	defer o.mayYield()
	return o.world.stream.Newest()
}

func (o *registerOwner) Replay(_ context.Context, from uint64, fn func(channel.Record) error) error {
	return o.world.stream.Replay(from, o.mayYield, fn)
}

// Now is ports.Clock's, as are the others below.
func (o *registerOwner) Now() time.Time { return time.Unix(0, o.world.now) }

func (o *registerOwner) Pause(ctx context.Context, d time.Duration) error {
	if d > 0 {
		o.co.due = o.world.now + int64(d)
		o.co.pause()
	}
	return ctx.Err()
}

func (o *registerOwner) Until(_ context.Context, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
			o.co.done = done
			o.co.pause()
		}
	}
}
