package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/engine"
	"penstock/engine/broker"
)

// ErrEnd says that the stream of a sink with ExpectLast does not end as the sink has left it. SinkConfig.AllowGaps
// goes on.
var ErrEnd = errors.New("the stream does not end as the sink has left it")

// ErrTakenOver says that another process has gone on with the sink: this one writes no more.
var ErrTakenOver = errors.New("another process has taken the sink over")

// firstLook is how many messages at the end of a stream are looked at for those of a run that has committed nothing
// yet.
const firstLook = 64

// catchUp brings what is known of the stream to its end: messages that were written since, and not committed, are
// taken.
func (p *publisher) catchUp(ctx context.Context, sent *Sent) error {
	now, found, err := p.server.look(ctx)
	switch {
	case err != nil:
		return p.server.refused(ctx, err)
	case !found:
		return p.missing()
	}
	if err := p.checkStream(ctx, sent, now); err != nil {
		return err
	}
	at := engine.InfoOf(ctx)
	t := tail{publisher: p, writer: p.writer(ctx), run: at.Run, epoch: at.Epoch, sent: sent, end: now.LastSeq}
	if sent.Last > 0 || !sent.Created.IsZero() {
		err = t.read(ctx, sent.Last+1, now)
	} else {
		err = t.readFirst(ctx, now)
	}
	if err != nil {
		return err
	}
	sent.Created, sent.Last = now.created, now.LastSeq
	p.known, p.last = true, sent.Last
	return nil
}

// checkStream refuses another stream than the one that the state is of.
func (p *publisher) checkStream(ctx context.Context, sent *Sent, now state) error {
	var problem error
	switch {
	case sent.Created.IsZero():
		return nil
	case !sent.Created.Equal(now.created):
		problem = fmt.Errorf("%w: %s was deleted and made anew at %s", ErrEnd, p.config.Stream, now.created.Format(time.RFC3339))
	case now.LastSeq < sent.Last:
		problem = fmt.Errorf("%w: %s ends at message %d, and the sink has written up to %d: it has lost its end, or was restored from an older copy", ErrEnd, p.config.Stream, now.LastSeq, sent.Last)
	default:
		return nil
	}
	if err := p.meet(ctx, problem); err != nil {
		return err
	}
	sent.Created, sent.Last = now.created, now.LastSeq
	return nil
}

// meet refuses what is not as it was left, or logs it.
func (p *publisher) meet(ctx context.Context, problem error) error {
	if !p.config.AllowGaps {
		return engine.Fatal(fmt.Errorf("%w: to go on, set SinkConfig.AllowGaps (what was written since the last commit may then be there twice), or use MessageID", problem))
	}
	engine.Logger(ctx).Warn("going on with a stream that does not end as the sink has left it", "error", problem)
	return nil
}

// tail reads the end of the stream.
type tail struct {
	*publisher
	writer, run string
	epoch       uint64
	sent        *Sent
	end         uint64 // the last sequence that is there
	isFirst     bool   // what comes before the first message of the run is of others, and is passed over
}

// open reads the headers of messages from a sequence on.
func (t *tail) open(ctx context.Context, from uint64) (*feed, error) {
	cfg := FromSequence(from).consumer()
	cfg.HeadersOnly = true
	f, err := t.server.openFeed(ctx, cfg, defaultPrefetch)
	if err != nil {
		return nil, t.server.refused(ctx, err)
	}
	return f, nil
}

// readFirst is read for a run that has committed nothing: its messages, if it has written some, are the last ones.
func (t *tail) readFirst(ctx context.Context, now state) error {
	t.isFirst = true
	for back := uint64(firstLook); now.LastSeq >= max(now.FirstSeq, 1); back *= 8 {
		from := max(now.FirstSeq, 1)
		if now.LastSeq > back {
			from = max(from, now.LastSeq-back+1)
		}
		isOwn, err := t.beginsWithOwn(ctx, from)
		if err != nil {
			return err
		}
		if !isOwn || from <= max(now.FirstSeq, 1) {
			return t.read(ctx, from, now)
		}
	}
	return nil
}

func (t *tail) beginsWithOwn(ctx context.Context, from uint64) (bool, error) {
	f, err := t.open(ctx, from)
	if err != nil {
		return false, err
	}
	defer f.close()
	if f.pending == 0 {
		return false, nil
	}
	m, err := f.next(ctx)
	if err != nil {
		return false, t.unread(ctx, err)
	}
	mark, found := markOf(m.Header)
	return found && t.isOwn(mark), nil
}

func (t *tail) isOwn(m mark) bool { return m.writer == t.writer && m.delivery.Run == t.run }

// read takes the messages from a sequence to the end.
func (t *tail) read(ctx context.Context, from uint64, now state) error {
	if from > t.end {
		return nil
	}
	next := from
	if now.FirstSeq <= t.end {
		f, err := t.open(ctx, max(from, now.FirstSeq, 1))
		if err != nil {
			return err
		}
		defer f.close()
		for isLast := f.pending == 0; !isLast; {
			m, err := f.next(ctx)
			if err != nil {
				return t.unread(ctx, err)
			}
			isLast = m.pending == 0 || m.sequence >= t.end
			if m.sequence > t.end {
				break // written since: the next publish meets it
			}
			if err := t.take(ctx, next, m); err != nil {
				return err
			}
			next = m.sequence + 1
		}
	}
	return t.checkGap(ctx, next, t.end+1)
}

// take takes one message of the tail, where next is expected.
func (t *tail) take(ctx context.Context, next uint64, m stored) error {
	if err := t.checkGap(ctx, next, m.sequence); err != nil {
		return err
	}
	mark, found := markOf(m.Header)
	switch {
	case !found || !t.isOwn(mark):
		if t.isFirst {
			return nil
		}
		return t.meet(ctx, fmt.Errorf("%w: message %d of %s was written by others, to the subject %s", ErrEnd, m.sequence, t.config.Stream, m.Subject))
	case mark.epoch > t.epoch:
		return engine.Fatal(fmt.Errorf("%w: message %d of %s has epoch %d, and this process has %d", ErrTakenOver, m.sequence, t.config.Stream, mark.epoch, t.epoch))
	}
	t.isFirst = false
	t.sent.Positions.Take(mark)
	return nil
}

// checkGap refuses messages that are gone: the sink may have written them, and cannot know what they were.
func (t *tail) checkGap(ctx context.Context, from, below uint64) error {
	if from >= below || t.isFirst {
		return nil
	}
	return t.meet(ctx, fmt.Errorf("%w: messages %d to %d of %s are gone, which the sink wrote after its last commit", ErrEnd, from, below-1, t.config.Stream))
}

// unread is for an end that could not be read now.
func (t *tail) unread(ctx context.Context, err error) error {
	if errors.Is(err, errFeed) || errors.Is(err, errIdle) || errors.Is(err, broker.ErrDisconnected) {
		err = fmt.Errorf("read the end of the stream %s: %w", t.config.Stream, err)
	}
	return t.server.refused(ctx, err)
}

// covers says whether a subject with wildcards has another one.
func covers(pattern, subject string) bool {
	tokens := strings.Split(subject, ".")
	for k, token := range strings.Split(pattern, ".") {
		switch {
		case token == ">":
			return len(tokens) > k
		case k >= len(tokens), token != "*" && token != tokens[k]:
			return false
		}
	}
	return len(tokens) == strings.Count(pattern, ".")+1
}
