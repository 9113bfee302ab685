package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	pullExpires   = 10 * time.Second
	pullHeartbeat = time.Second     // after two and a half times that without a word the consumer is taken for lost
	consumerStays = 2 * time.Minute // unused, before the server removes it
	mostAhead     = 8 << 20         // bytes that are asked for at most, besides a larger message
	silence       = pullHeartbeat * 5 / 2
)

// errFeed says that a consumer does not give, or not for sure, what it should: another one is to be made.
var errFeed = errors.New("the consumer failed")

// errIdle says that there is nothing more for now.
var errIdle = errors.New("nothing more for now")

// feed reads a stream in order, through a consumer of its own in the server's memory that needs no acknowledgements.
// What is read ahead is bounded by count and bytes. It belongs to one goroutine.
type feed struct {
	server   *server
	consumer string
	pending  uint64 // messages that waited when the consumer was made
	start    uint64 // where it begins: the sequence that the server has chosen
	sub      *nats.Subscription
	msgs     chan *nats.Msg
	inbox    string // of the answers, without the number of the request
	most     int    // messages that are asked for at once, all requests together

	serial   uint64 // of the last request
	left     int    // messages that all requests may still bring
	large    bool   // the next message is larger than a request may bring
	heard    time.Time
	consumed uint64 // consumer sequence of the last message
	behind   uint64 // messages behind it then
}

// stored is a message with where it is in the stream.
type stored struct {
	*nats.Msg
	sequence uint64
	time     time.Time
	pending  uint64 // that match, behind it
}

// openFeed makes the consumer. most is how many messages may be read ahead.
func (s *server) openFeed(ctx context.Context, cfg jetstream.ConsumerConfig, most int) (*feed, error) {
	cfg.Name = s.consumerName()
	cfg.Description = "made by penstock, which keeps its place itself; safe to delete"
	cfg.AckPolicy, cfg.MemoryStorage, cfg.Replicas, cfg.InactiveThreshold = jetstream.AckNonePolicy, true, 1, consumerStays
	asking, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	asking, leave := s.WhileConnected(asking)
	defer leave()
	consumer, err := s.JetStream().CreateConsumer(asking, s.stream, cfg)
	if err != nil {
		return nil, fmt.Errorf("read the stream %s on %s: %w", s.stream, s.Server(), err)
	}
	info := consumer.CachedInfo()
	f := &feed{
		server: s, consumer: info.Name, pending: info.NumPending, behind: info.NumPending, start: info.Delivered.Stream + 1,
		msgs:  make(chan *nats.Msg, most+64), // room for heartbeats and ends of requests
		inbox: s.Conn().NewInbox() + ".",
		most:  max(most, 2),
		heard: time.Now(),
	}
	if f.sub, err = s.Conn().ChanSubscribe(f.inbox+"*", f.msgs); err != nil {
		return nil, fmt.Errorf("subscribe for the stream %s: %w", s.stream, err)
	}
	return f, nil
}

// close removes the consumer.
func (f *feed) close() {
	_ = f.sub.Unsubscribe()
	f.server.deleteConsumer(f.consumer)
}

// next waits for a message. It is errIdle when all messages up to now were returned, and errFeed when another feed
// has to be opened.
func (f *feed) next(ctx context.Context) (stored, error) {
	look := time.NewTicker(pullHeartbeat)
	defer look.Stop()
	lost, leave := f.server.WhileConnected(ctx)
	defer leave()
	for {
		if err := f.request(); err != nil {
			return stored{}, err
		}
		select {
		case msg := <-f.msgs:
			m, found, err := f.accept(msg)
			if found || err != nil {
				return m, err
			}
		case <-look.C:
			if time.Since(f.heard) > silence {
				return stored{}, fmt.Errorf("%w: it is silent", errFeed)
			}
		case <-lost.Done():
			if ctx.Err() == nil && f.behind > 0 {
				_ = f.server.Pulls().Cut() // less is pulled if that was the reason
			}
			return stored{}, context.Cause(lost)
		}
	}
}

// ready returns a message that is there already.
func (f *feed) ready() (m stored, found bool, err error) {
	for !found && err == nil {
		select {
		case msg := <-f.msgs:
			m, found, err = f.accept(msg)
		default:
			return m, false, nil
		}
	}
	return m, found, err
}

// request asks for more when half of what may be read ahead is there: so one request is on its way while the other
// half is worked on.
func (f *feed) request() error {
	for {
		pull := struct {
			Expires   time.Duration `json:"expires"`
			Batch     int           `json:"batch"`
			MaxBytes  int           `json:"max_bytes,omitempty"`
			Heartbeat time.Duration `json:"idle_heartbeat"`
		}{pullExpires, f.most / 2, f.server.Pulls().Bytes(mostAhead / 2), pullHeartbeat}
		isSingle := f.large || pull.MaxBytes == 0
		if f.left > f.most/2 || isSingle && f.left > 0 {
			return nil
		}
		if isSingle {
			pull.Batch, pull.MaxBytes = 1, 0
		}
		data, err := json.Marshal(pull)
		if err != nil {
			return fmt.Errorf("encode a request for messages: %w", err)
		}
		f.serial++
		subject := api + "CONSUMER.MSG.NEXT." + f.server.stream + "." + f.consumer
		if err := f.server.Conn().PublishRequest(subject, f.inbox+strconv.FormatUint(f.serial, 10), data); err != nil {
			return fmt.Errorf("%w: request messages: %w", errFeed, err)
		}
		f.left += pull.Batch
		f.heard = time.Now()
	}
}

// accept returns a message; found is false for news of a request.
func (f *feed) accept(msg *nats.Msg) (m stored, found bool, err error) {
	f.heard = time.Now()
	if msg.Reply == "" {
		return m, false, f.status(msg)
	}
	meta, err := msg.Metadata()
	if err != nil {
		return m, false, fmt.Errorf("%w: a message without its place in the stream: %w", errFeed, err)
	}
	if meta.Sequence.Consumer != f.consumed+1 {
		return m, false, fmt.Errorf("%w: a message is missing", errFeed)
	}
	f.consumed++
	f.large = false
	f.behind = meta.NumPending
	f.left--
	return stored{msg, meta.Sequence.Stream, meta.Timestamp.UTC(), meta.NumPending}, true, nil
}

// status takes news of a request. The end of one that brought all its messages is no news.
func (f *feed) status(msg *nats.Msg) error {
	code, text := msg.Header.Get("Status"), msg.Header.Get("Description")
	if code == "100" {
		last, err := strconv.ParseUint(msg.Header.Get("Nats-Last-Consumer"), 10, 64)
		if err == nil && last > f.consumed {
			return fmt.Errorf("%w: a message is missing", errFeed)
		}
		return nil
	}
	unbrought, err := strconv.Atoi(msg.Header.Get("Nats-Pending-Messages"))
	if err == nil {
		f.left -= unbrought
	}
	switch {
	case isGone(msg):
		return fmt.Errorf("%w: it is gone", errFeed)
	case err != nil: // what else it may bring is not known
		return fmt.Errorf("%w: it ended a request: %s %s", errFeed, code, text)
	case code == "408":
		return errIdle
	case code == "409" && strings.Contains(text, "Exceeds MaxBytes"):
		f.large = unbrought == f.most/2
	case code == "409" && strings.Contains(text, "Batch Completed"):
	default:
		return fmt.Errorf("%w: it ended a request: %s %s", errFeed, code, text)
	}
	return nil
}

// unread is how many messages the consumer has not sent.
func (f *feed) unread(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	ctx, leave := f.server.WhileConnected(ctx)
	defer leave()
	consumer, err := f.server.JetStream().Consumer(ctx, f.server.stream, f.consumer)
	if err != nil {
		return 0, err
	}
	info := consumer.CachedInfo()
	return info.NumPending + info.Delivered.Consumer - f.consumed, nil
}
