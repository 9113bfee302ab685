package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"penstock/engine/broker"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	pullExpires = 10 * time.Second
	pullOwed    = time.Second // for what is known to be there

	// How often a consumer is to be heard of while it has nothing to give; after two and a half times that it is taken for
	// lost, with its leader.
	pullHeartbeat         = time.Second
	pullHeartbeatEmbedded = 2 * time.Second // which has no leader that could change
)

// errFeed means that a consumer does not give, or not for sure, what it should: it is to be made anew.
var errFeed = errors.New("consumer failed")

// feed pulls messages from a consumer of its own, one request at a time. It is what jetstream's Messages does, with a
// limit in bytes that a large frame still passes, and with a check that no message went to another client. It belongs
// to one goroutine, which must keep reading msgs: what is there is bounded by what was asked for.
type feed struct {
	channel *Channel
	config  jetstream.ConsumerConfig // as the server has it
	pending uint64                   // messages that waited when the consumer was made
	waiting uint64                   // that wait behind the last one
	sub     *nats.Subscription
	msgs    chan *nats.Msg
	inbox   string // of the answers, without the number of the request
	subject string // to pull from
	refused chan error
	unwatch func() // ends the look-out for refused
	frames  int    // to ask for at most
	bytes   int

	pull
	heard    time.Time
	looked   time.Time // at the consumer's settings
	consumed uint64    // consumer sequence of the last message
}

// pull is the request for messages that is under way, or the last one.
type pull struct {
	serial uint64 // of the request
	open   bool   // the request is not over
	left   int    // messages it may still bring
	got    int    // messages it brought
	large  bool   // the next message is larger than bytes
	idle   bool   // the last request ran out of time
	owed   bool   // frames waited then: the next request has to bring one
}

// item is one message of a feed.
type item struct {
	msg      *nats.Msg
	sequence uint64
	pending  uint64 // messages behind it
	time     time.Time
}

// openFeed makes the consumer, in the place of one that has its name.
func openFeed(ctx context.Context, c *Channel, cfg jetstream.ConsumerConfig, frames, bytes int) (*feed, error) {
	var consumer jetstream.Consumer
	err := c.once(ctx, func(ctx context.Context) (err error) {
		consumer, err = c.makeConsumer(ctx, cfg)
		return err
	})
	if err != nil {
		return nil, err
	}
	info := consumer.CachedInfo()
	conn := c.broker.Conn()
	f := &feed{
		channel: c, config: info.Config, pending: info.NumPending, waiting: info.NumPending, frames: frames, bytes: bytes,
		msgs:    make(chan *nats.Msg, 2*frames+64), // room for heartbeats and ends of requests
		refused: make(chan error, 1),
		inbox:   conn.NewInbox() + ".",
		subject: "$JS.API.CONSUMER.MSG.NEXT." + c.name + "." + info.Name,
		heard:   time.Now(),
		looked:  time.Now(),
	}
	if f.sub, err = conn.ChanSubscribe(f.inbox+"*", f.msgs); err != nil {
		return nil, fmt.Errorf("stream %s: subscribe for a consumer: %w", c.name, err)
	}
	f.unwatch = c.broker.OnRefused(f.subject, f.inbox, func(refused *broker.PermissionError) {
		select {
		case f.refused <- fmt.Errorf("%w: %w", errFeed, refused):
		default:
		}
	})
	return f, nil
}

// makeConsumer waits for the end of one that is just being deleted: until then its name is taken.
func (c *Channel) makeConsumer(ctx context.Context, cfg jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	js := c.broker.JetStream()
	for {
		if cfg.Durable != "" {
			err := js.DeleteConsumer(ctx, c.name, cfg.Durable)
			if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
				return nil, c.consumerError("delete the old consumer", err)
			}
		}
		consumer, err := js.CreateConsumer(ctx, c.name, cfg)
		if err == nil {
			return consumer, nil
		}
		if !errors.Is(err, jetstream.ErrConsumerExists) || pause(ctx, firstDelay) != nil {
			return nil, c.consumerError("create a consumer", err)
		}
	}
}

func (c *Channel) consumerError(what string, err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return c.lostError()
	}
	return fmt.Errorf("stream %s: %s: %w", c.name, what, err)
}

// close leaves the consumer on the server.
func (f *feed) close() {
	f.unwatch()
	_ = f.sub.Unsubscribe()
}

// remove takes the consumer away as well; if that fails the server does it some time later.
func (f *feed) remove(ctx context.Context) {
	f.close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if f.channel.broker.Connected() {
		_ = f.channel.broker.JetStream().DeleteConsumer(ctx, f.channel.name, f.config.Name)
	}
}

// request asks for more when there is room for half of what fits; that keeps one request on its way while the other
// half is worked on.
func (f *feed) request(frames, bytes int) error {
	empty := frames == f.frames
	if f.open || !empty && (f.large || frames < (f.frames+1)/2 || bytes < f.bytes/2) {
		return nil
	}
	pull := struct {
		Expires   time.Duration `json:"expires"`
		Batch     int           `json:"batch"`
		MaxBytes  int           `json:"max_bytes,omitempty"`
		Heartbeat time.Duration `json:"idle_heartbeat,omitempty"`
	}{pullExpires, frames, bytes, f.heartbeat()}
	if limit := f.channel.broker.Pulls().Bytes(f.bytes); limit > 0 {
		pull.MaxBytes = min(bytes, limit)
	} else {
		pull.Batch, pull.MaxBytes = 1, 0
	}
	if f.owed {
		pull.Expires, pull.Heartbeat = pullOwed, 0
	}
	if f.large {
		pull.Batch, pull.MaxBytes = 1, 0
	}
	data, err := json.Marshal(pull)
	if err != nil {
		return fmt.Errorf("encode a pull request: %w", err)
	}
	f.serial++
	if err := f.channel.broker.Conn().PublishRequest(f.subject, f.inbox+strconv.FormatUint(f.serial, 10), data); err != nil {
		return fmt.Errorf("%w: request messages: %w", errFeed, err)
	}
	f.open, f.left, f.got, f.large, f.idle, f.heard = true, pull.Batch, 0, false, false, time.Now()
	return nil
}

// accept returns the message, or nil when it is news of a request.
func (f *feed) accept(msg *nats.Msg) (*item, error) {
	f.heard = time.Now()
	if msg.Reply == "" {
		return nil, f.status(msg)
	}
	meta, err := msg.Metadata()
	if err != nil {
		return nil, fmt.Errorf("%w: a message without its place in the stream: %w", errFeed, err)
	}
	if meta.Sequence.Consumer != f.consumed+1 {
		return nil, fmt.Errorf("%w: it gave a message to another client", errFeed)
	}
	f.consumed++
	f.got++
	f.owed = false
	f.waiting = meta.NumPending
	if f.left--; f.left == 0 {
		f.open = false
	}
	return &item{msg: msg, sequence: meta.Sequence.Stream, pending: meta.NumPending, time: meta.Timestamp}, nil
}

func (f *feed) status(msg *nats.Msg) error {
	code, text := msg.Header.Get("Status"), msg.Header.Get("Description")
	if code == "100" {
		if last, err := strconv.ParseUint(msg.Header.Get("Nats-Last-Consumer"), 10, 64); err == nil && last > f.consumed {
			return fmt.Errorf("%w: it gave a message to another client", errFeed)
		}
		return nil
	}
	if msg.Subject != f.inbox+strconv.FormatUint(f.serial, 10) {
		return nil // of a request that was over already
	}
	switch {
	case code == "408":
		f.open, f.idle = false, true
	case code == "409" && strings.Contains(text, "Exceeds MaxBytes"):
		f.open, f.large = false, f.got == 0
	case code == "409" && strings.Contains(text, "Batch Completed"):
		f.open = false
	case code == "503", code == "409" && strings.Contains(text, "Consumer Deleted"):
		return fmt.Errorf("%w: it was gone", errFeed)
	default:
		return fmt.Errorf("%w: it ended a request: %s %s", errFeed, code, text)
	}
	return nil
}

// cut is told that the connection was lost. If that ended a delivery, and not for the first time, it returns what may
// be the reason. isOwed: more was known to be there.
func (f *feed) cut(isOwed bool) error {
	if !f.open || f.waiting == 0 && !isOwed {
		return nil
	}
	return f.channel.broker.Pulls().Cut()
}

// silent tells whether the server has forgotten a request.
func (f *feed) silent() bool { return f.open && time.Since(f.heard) > f.heartbeat()*5/2 }

func (f *feed) heartbeat() time.Duration {
	if f.channel.broker.Embedded() {
		return pullHeartbeatEmbedded
	}
	return pullHeartbeat
}

// ack tells the server that everything up to this message was taken.
func (f *feed) ack(reply string) {
	_ = f.channel.broker.Conn().Publish(reply, []byte("+ACK")) // a hint: a later one includes it
}
