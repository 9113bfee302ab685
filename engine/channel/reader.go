package channel

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	defaultPrefetch      = 16
	defaultPrefetchBytes = 8 << 20

	checkInterval = 500 * time.Millisecond
	stuckAfter    = 5 * time.Second
	lookInterval  = 5 * time.Second
)

// Position is where a reader stands.
type Position struct {
	Offset   uint64 // the next one not yet consumed
	Sequence uint64 // where to look for it: a hint, 0 for none. Best is one behind the last frame that was consumed
	End      uint64 // behind all that is consumed, when something above Offset is; the channel cannot end before it
}

// ReaderConfig says who reads what.
type ReaderConfig struct {
	Name      string   // of the durable consumer, e.g. worker-0: letters, digits, -, _ and +
	Branch    string   // "": the main stream of the stage
	Partition uint32   // the reading instance
	Position  Position // where to begin

	Prefetch      int // frames to have ready. Default: 16
	PrefetchBytes int // of their size together, in bytes; one larger frame still gets through. Default: 8 MiB

	// ProducerLast tells the sequence of the last frame that the writer committed, if it runs in this process. A
	// consumer that has not delivered it after 5 seconds is replaced.
	ProducerLast func() uint64

	// OnTrouble is told why there is no consumer, or none that gives messages, after each attempt, and nil when one has
	// given a message or answered that there is none. It must not block. nil: not called.
	OnTrouble func(error)
}

// Reader reads one destination of a channel, for one instance.
type Reader struct {
	channel *Channel
	source  source
	feed    Feed // nil: a server
	cfg     ReaderConfig
	out     chan Delivery
	hints   chan struct{} // wakes Run up when acked has moved
	acked   atomic.Uint64
	again   chan struct{} // the connection was restored

	// What follows belongs to Run.

	cursor
	queue      []Delivery
	queued     int // bytes
	marks      marks
	episode    episode
	isTroubled bool // OnTrouble heard of an error last
	stuck      stuck
	logContext context.Context // of Run, for the logger's handlers
}

// cursor is how far a reader has come.
type cursor struct {
	expected   uint64   // the next offset
	seen       uint64   // sequence of the last frame that was looked at
	seenCommit commitID // what that frame was
	passed     uint64   // sequence of the last message that was set aside
	taken      uint64   // sequence of the last frame that moved expected
	confirmed  bool     // a frame has shown that the sequences fit the offsets
	fromStart  bool     // read everything there is next time
	whole      bool     // everything there is is being read
}

type commitID struct{ epoch, commit uint64 }

// Reader returns a reader that begins when its Run is called. Two readers of a channel must not have the same name.
func (c *Channel) Reader(cfg ReaderConfig) *Reader {
	if cfg.Prefetch <= 0 {
		cfg.Prefetch = defaultPrefetch
	}
	if cfg.PrefetchBytes <= 0 {
		cfg.PrefetchBytes = defaultPrefetchBytes
	}
	r := &Reader{
		channel: c, cfg: cfg, cursor: cursor{expected: cfg.Position.Offset},
		out: make(chan Delivery, 1), hints: make(chan struct{}, 1), again: make(chan struct{}, 1),
	}
	r.source = &jetstreamSource{reader: r}
	return r
}

// Deliveries is closed when Run returns.
func (r *Reader) Deliveries() <-chan Delivery { return r.out }

// Ack hints to the server that everything up to d was taken. It never blocks.
func (r *Reader) Ack(d Delivery) {
	for old := r.acked.Load(); d.Sequence > old; old = r.acked.Load() {
		if r.acked.CompareAndSwap(old, d.Sequence) {
			wake(r.hints)
			return
		}
	}
}

func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

var (
	errReconnected = fmt.Errorf("%w: it was disconnected for a while", errFeed)
	errHint        = errors.New("the sequence of the position does not have its offset")
)

// Run reads until ctx is done, which returns nil, or until it meets what it must not pass over: an error that wraps
// [ErrGap], [ErrAhead], [ErrCorruptFrame] or [ErrStreamLost]. What comes before that is delivered first. A broker that
// is closed ends it too. It may be called once.
func (r *Reader) Run(ctx context.Context) error {
	defer close(r.out)
	r.logContext = ctx
	if r.feed != nil {
		return r.follow(ctx)
	}
	defer r.channel.broker.OnReconnect(func() { wake(r.again) })()
	for {
		f, err := r.connect(ctx)
		if err == nil {
			r.episode.made(r)
			err = r.serve(ctx, f)
			if errors.Is(err, errReconnected) {
				if reason := f.cut(r.isOwed()); reason != nil {
					r.trouble(reason)
				}
			}
			r.hint(f)
			r.leave(ctx, f)
			r.marks.orphan()
		}
		if ctx.Err() != nil {
			return nil
		}
		if refuses(err) {
			r.handOver(ctx)
			return fmt.Errorf("consumer %s: %w", r.cfg.Name, err)
		}
		if errors.Is(err, errHint) {
			r.channel.logger.Debug("reading from the start: the sequence of the position does not have its offset", "consumer", r.cfg.Name, "offset", r.expected)
			continue
		}
		r.episode.begin(r, err)
		if pause(ctx, r.episode.next()) != nil {
			return nil
		}
	}
}

// leave closes a feed. A server that ends with this process would wait for the request that is still open.
func (r *Reader) leave(ctx context.Context, f *feed) {
	if ctx.Err() != nil && r.channel.broker.Embedded() {
		f.remove(ctx)
		return
	}
	f.close()
}

// forgetReconnect drops the news of a connection that the next consumer is made on.
func (r *Reader) forgetReconnect() {
	select {
	case <-r.again:
	default:
	}
}

// serve passes on what the feed gives until that ends.
func (r *Reader) serve(ctx context.Context, f *feed) error {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	for {
		if err := f.request(r.cfg.Prefetch-min(len(r.queue), r.cfg.Prefetch), r.cfg.PrefetchBytes-r.queued); err != nil {
			return err
		}
		var out chan<- Delivery
		var head Delivery
		if len(r.queue) > 0 {
			out, head = r.out, r.queue[0]
		}
		var err error
		select {
		case msg := <-f.msgs:
			err = r.receive(ctx, f, msg)
		case out <- head:
			r.pop()
		case <-r.hints:
			r.hint(f)
		case <-tick.C:
			r.hint(f)
			if err = r.check(f); err == nil && time.Since(f.looked) >= lookInterval {
				f.looked = time.Now()
				err = r.checkEdited(ctx, f)
			}
		case err = <-f.refused:
		case <-r.again:
			err = errReconnected
		case <-ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// handOver delivers what comes before a refusal, so that it is met at the position it names.
func (r *Reader) handOver(ctx context.Context) {
	for len(r.queue) > 0 {
		select {
		case r.out <- r.queue[0]:
			r.pop()
		case <-ctx.Done():
			return
		}
	}
}

func (r *Reader) pop() {
	r.queued -= r.queue[0].Size
	r.queue[0] = Delivery{}
	if r.queue = r.queue[1:]; len(r.queue) == 0 {
		r.queue = nil
	}
}

func (r *Reader) receive(ctx context.Context, f *feed, msg *nats.Msg) error {
	item, err := f.accept(msg)
	switch {
	case err != nil:
		return err
	case item != nil:
		r.episode.progress()
		r.works()
		return r.look(ctx, item)
	case f.idle:
		f.idle = false
		r.episode.progress()
		if err := r.checkConsumer(ctx, f); err != nil || f.owed {
			return err
		}
		r.works()
	case f.pending == 0:
		r.works()
	}
	return nil
}

// hint passes on to the server what is taken.
func (r *Reader) hint(f *feed) {
	if reply := r.marks.upTo(r.acked.Load()); reply != "" {
		f.ack(reply)
	}
}

// stuck notices a feed that has less than the writer has committed.
type stuck struct {
	looked uint64
	since  time.Time
}

// isOwed tells whether the writer has committed more than was looked at.
func (r *Reader) isOwed() bool { return r.cfg.ProducerLast != nil && r.cfg.ProducerLast() > r.seen }

func (r *Reader) check(f *feed) error {
	if f.silent() {
		return fmt.Errorf("%w: it stopped answering", errFeed)
	}
	if !r.isOwed() || !f.open || !r.channel.broker.Connected() || r.looked() != r.stuck.looked {
		r.stuck = stuck{looked: r.looked(), since: time.Now()}
		return nil
	}
	if time.Since(r.stuck.since) < stuckAfter {
		return nil
	}
	r.stuck.since = time.Now()
	return fmt.Errorf("%w: it withheld committed frames", errFeed)
}
