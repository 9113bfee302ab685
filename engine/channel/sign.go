package channel

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"penstock/engine/frame"
	"penstock/engine/remedy"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrKey: the frames are authenticated, and the key that they were written with is not at hand. Nothing is damaged.
var ErrKey = errors.New("the frames are authenticated with a key that this process does not have")

// signatures authenticate the frames of a channel. Its zero value has no keys.
type signatures struct {
	keys     *frame.Keys // nil: frames are written without a signature
	isLooker bool        // checks nothing: the search for the first signature

	// from is the sequence of the first frame that is signed with one of the keys. What comes before was written without a
	// key, and is taken as it is; a frame without a signature behind it is forged. 0: there is none yet.
	from atomic.Uint64
}

// unsigned is why a frame is set aside that should be signed.
const unsigned = "it is an unauthenticated frame after authenticated ones: forged, or written by a process without the keys"

// place is what the signature of a frame binds it to: the subject, the stream's owner, and the sequence of the message
// before.
func (c *Channel) place(subject, expected string) string {
	return subject + "\x00" + c.Identity() + "\x00" + expected
}

// signed returns the frame as it goes into the channel. release gives its buffer back.
func (c *Channel) signed(data []byte, subject, expected string) (signed []byte, release func(), err error) {
	if c.signatures.keys == nil {
		return data, func() {}, nil
	}
	buf := signing.Get().(*[]byte)
	if *buf, err = c.signatures.keys.Sign((*buf)[:0], data, c.place(subject, expected)); err != nil {
		signing.Put(buf)
		return nil, nil, err
	}
	return *buf, func() {
		if cap(*buf) <= maxSigning {
			signing.Put(buf)
		}
	}, nil
}

// signing holds buffers for signed frames, but none that one very large frame needed.
var signing = sync.Pool{New: func() any { return new([]byte) }}

const maxSigning = 4 << 20

// check looks at the signature of a frame that is sound otherwise. With a reason it is none of the pipeline's, and set
// aside.
func (c *Channel) check(subject string, sequence uint64, header nats.Header, data []byte) (reason string, err error) {
	id, isSigned := frame.SignedWith(data)
	switch {
	case c.signatures.isLooker:
		return "", nil
	case c.signatures.keys == nil && isSigned:
		return "", remedy.Errorf("%w: stream %s, sequence %d: authenticated with the key %s, and no key is given; nothing is damaged: give the key with %v",
			ErrKey, c.name, sequence, id, remedy.FrameKeys)
	case c.signatures.keys == nil:
		return "", nil
	}
	err = c.signatures.keys.Verify(data, c.place(subject, strings.Join(header[jetstream.ExpectedLastSubjSeqHeader], ",")))
	switch {
	case err == nil:
		if subject == c.subject {
			c.signatures.begin(sequence)
		}
		return "", nil
	case !errors.Is(err, frame.ErrUnsigned):
		return err.Error(), nil
	}
	if from := c.signatures.from.Load(); from != 0 && sequence > from {
		return unsigned, nil
	}
	return "", nil
}

// begin remembers the first signed frame.
func (s *signatures) begin(sequence uint64) { s.from.CompareAndSwap(0, sequence) }

var errEnough = errors.New("enough is read")

// findSigned looks for the first frame that is signed with one of the keys. Where there is none, and frames that are
// signed with another, the key is the wrong one.
func (c *Channel) findSigned(ctx context.Context) error {
	if c.signatures.keys == nil {
		return nil
	}
	open, others, other := 0, 0, ""
	looker := c.looker()
	s := &scan{channel: looker, what: commitsAndSeals, next: 1, end: math.MaxUint64, fn: func(rec Record) error {
		err := c.signatures.keys.Verify(rec.Data, c.place(c.subject, rec.expected))
		switch {
		case err == nil:
			c.signatures.begin(rec.Sequence)
			return errEnough
		case errors.Is(err, frame.ErrUnsigned):
			open++
		default:
			other, _ = frame.SignedWith(rec.Data)
			others++
		}
		return nil
	}}
	err := persist(ctx, c.broker, c.logger, "search for authenticated frames of "+c.subject, s.read)
	switch {
	case errors.Is(err, errEnough):
		if others > 0 {
			c.logger.Warn("set aside frames that are authenticated with an unknown key: if it is an earlier key of this pipeline, add it again after the others",
				"frames", others, "key", other)
		}
		return nil
	case err != nil:
		return err
	case other != "":
		return remedy.Errorf("%w: stream %s: they were written with the key %s, and the first key of this process is %s; nothing is damaged: give that key with %v, after a new one if you like",
			ErrKey, c.name, other, c.signatures.keys.ID(), remedy.FrameKeys)
	case open > 0:
		c.logger.Warn("existing frames in the channel were written without a key and are accepted; every frame from the next commit on is authenticated",
			"frames", open, "key", c.signatures.keys.ID())
	}
	return nil
}

// looker is the same channel to a reader that looks at all frames, whatever their signature.
func (c *Channel) looker() *Channel {
	spec := c.spec
	spec.Keys, spec.OnForeign, spec.Logger = nil, nil, nil
	other, err := newChannel(c.broker, spec)
	if err != nil {
		panic(err)
	}
	other.signatures.isLooker = true
	other.stream.Store(c.stream.Load())
	return other
}
