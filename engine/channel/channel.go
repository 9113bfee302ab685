package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"penstock/engine/broker"
	"penstock/engine/frame"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	defaultDuplicateWindow = 2 * time.Minute
	minDuplicateWindow     = 100 * time.Millisecond
)

// Spec says which channel is meant and how it is to be kept.
type Spec struct {
	Pipeline string // letters, digits, - and _
	Stage    string // likewise
	Instance int    // the instance that writes, from 0

	// Partitions are the instances of the stage. A stream whose frames are those of others is [PartitionsError]. None: it
	// is not looked at.
	Partitions Partitions

	// Identity of the data directory that the stream belongs to. "" accepts any, and marks a new stream with none.
	Identity string

	// Owner is what a new stream tells of its run; [Channel.Own] tells it to one that is there. Default: nothing.
	Owner Owner

	// MaxBytes is the limit of the stream on the server, in bytes, for all instances together. 0 or less: none.
	MaxBytes int64

	// DuplicateWindow is how long the server remembers message ids, at least 100 ms. Default: 2 minutes. Frames carry
	// none: this is for what others publish into the stream.
	DuplicateWindow time.Duration

	// MayTrim says whether frames may be removed now. It is asked while no publish is under way. Default: always.
	MayTrim func() bool

	// Logger hears of what had to be repaired, and of foreign messages. Default: no log.
	Logger *slog.Logger

	// Keys authenticate the frames: what is published is signed with the first, and what is read must be signed with one
	// of them, but for frames that were there before the first signature. Default: none, and a signed frame is [ErrKey].
	Keys *frame.Keys

	// PassDamaged is asked about a message that was published as a commit and is no sound frame, and sets it aside when it
	// says so. It may be asked several times about one, by several goroutines. It is for a look at a channel that is to be
	// mended. Default: such a message is [ErrCorruptFrame].
	PassDamaged func(sequence uint64, data []byte) bool

	// OnForeign is told of every message on the instance's subject that is no commit, once. It may be called by several
	// goroutines at once, and must not block for long. Default: not called.
	OnForeign func(Foreign)
}

// Channel is what one instance writes, and others read.
type Channel struct {
	broker     *broker.Broker
	spec       Spec
	name       string // of the stream
	subject    string // of the instance's commits
	register   string // of its owners
	logger     *slog.Logger
	stream     atomic.Pointer[handle]
	writing    sync.RWMutex // held by publishes together, or by a trim alone, of the embedded server
	foreign    foreign
	behind     lastFrame
	signatures signatures

	requests  patience
	publishes patience
}

// handle is the stream as it was last seen.
type handle struct {
	jetstream.Stream
	identity string
	owner    string // as the stream has it
	created  time.Time

	partitions Partitions
	isUsed     bool
}

// StreamName is the JetStream stream that holds what a stage of a pipeline writes.
func StreamName(pipeline, stage string) string { return pipeline + "+" + stage }

func newChannel(b *broker.Broker, spec Spec) (*Channel, error) {
	for _, name := range []string{spec.Pipeline, spec.Stage} {
		if name == "" || strings.ContainsFunc(name, notInName) {
			return nil, fmt.Errorf("channel %s of pipeline %s: a name is made of letters, digits, - and _", strconv.Quote(spec.Stage), strconv.Quote(spec.Pipeline))
		}
	}
	if spec.Instance < 0 {
		return nil, fmt.Errorf("channel %s: instance %d: instances are numbered from 0", spec.Stage, spec.Instance)
	}
	if spec.DuplicateWindow == 0 {
		spec.DuplicateWindow = defaultDuplicateWindow
	}
	spec.DuplicateWindow = max(spec.DuplicateWindow, minDuplicateWindow)
	if spec.Logger == nil {
		spec.Logger = slog.New(slog.DiscardHandler)
	}
	name := StreamName(spec.Pipeline, spec.Stage)
	c := &Channel{
		broker: b, spec: spec, name: name,
		subject: spec.Pipeline + "." + spec.Stage + "." + strconv.Itoa(spec.Instance),
		logger:  spec.Logger.With("stream", name),
	}
	c.register = c.subject + "." + registerToken
	c.signatures.keys = spec.Keys
	return c, nil
}

func notInName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// Open creates the stream when it is missing, and restores its settings when another client changed them. It returns
// [ErrForeign] when the stream belongs to another identity, and waits out a server that is away.
func Open(ctx context.Context, b *broker.Broker, spec Spec) (*Channel, error) {
	c, err := newChannel(b, spec)
	if err != nil {
		return nil, err
	}
	err = repeat(ctx, b, c.logger, "open stream "+c.name, func(ctx context.Context) error {
		_, err := c.ensure(ctx, createMissing)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, c.findSigned(ctx)
}

// Lookup returns the channel of a stage's instance 0 if its stream exists, and changes nothing. It is for what the
// stream says of itself: who reads frames uses [Find].
func Lookup(ctx context.Context, b *broker.Broker, pipeline, stage string) (*Channel, bool, error) {
	return find(ctx, b, Spec{Pipeline: pipeline, Stage: stage})
}

// Find is Lookup for who relies on what the frames say: with the keys of the spec. Authenticated frames without one of
// theirs are [ErrKey].
func Find(ctx context.Context, b *broker.Broker, spec Spec) (*Channel, bool, error) {
	c, found, err := find(ctx, b, spec)
	if err != nil || !found {
		return nil, false, err
	}
	return c, true, c.findSigned(ctx)
}

func find(ctx context.Context, b *broker.Broker, spec Spec) (*Channel, bool, error) {
	c, err := newChannel(b, spec)
	if err != nil {
		return nil, false, err
	}
	err = repeat(ctx, b, c.logger, "read the settings of stream "+c.name, func(ctx context.Context) error {
		s, err := b.JetStream().Stream(ctx, c.name)
		if err == nil {
			c.remember(s)
		} else if errors.Is(err, jetstream.ErrStreamNotFound) {
			return c.lostError()
		}
		return err
	})
	if errors.Is(err, ErrStreamLost) {
		return nil, false, nil
	}
	return c, err == nil, err
}

// Instance returns the channel of another instance of the same stage.
func (c *Channel) Instance(instance int) *Channel {
	spec := c.spec
	spec.Instance = instance
	other, err := newChannel(c.broker, spec)
	if err != nil {
		panic(err)
	}
	other.stream.Store(c.stream.Load())
	return other
}

// Name is the stream's name in JetStream.
func (c *Channel) Name() string { return c.name }

// Identity is the identity of the data directory that the stream belongs to, as the stream itself tells it.
func (c *Channel) Identity() string { return c.stream.Load().identity }

// Restore looks at the stream's settings and puts right what was changed; changed tells whether there was something.
// A stream that is not there is not created again: that is [ErrStreamLost].
func (c *Channel) Restore(ctx context.Context) (changed bool, err error) {
	err = repeat(ctx, c.broker, c.logger, "check stream "+c.name, func(ctx context.Context) error {
		mended, err := c.ensure(ctx, requireExisting)
		changed = changed || mended
		return err
	})
	return changed, err
}

type whenMissing int

const (
	createMissing whenMissing = iota
	requireExisting
)

// ensure makes one attempt to have the stream there and as it should be.
func (c *Channel) ensure(ctx context.Context, missing whenMissing) (mended bool, err error) {
	js := c.broker.JetStream()
	want := c.spec.config(c.broker.Replicas())
	s, err := js.Stream(ctx, c.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if missing == requireExisting {
			return false, c.lostError()
		}
		if s, err = js.CreateStream(ctx, want); err == nil {
			c.logger.Debug("stream created")
		} else if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			s, err = js.Stream(ctx, c.name) // another instance was faster
		}
	}
	if err != nil {
		return false, fmt.Errorf("stream %s: %w", c.name, err)
	}
	if err := errors.Join(c.checkIdentity(s), c.checkPartitions(s)); err != nil {
		return false, err
	}
	hasNoRegister := slices.Equal(s.CachedInfo().Config.Subjects, want.Subjects[:1])
	have, changed := mend(s.CachedInfo().Config, want)
	if len(changed) == 0 {
		c.remember(s)
		return false, nil
	}
	if s, err = js.UpdateStream(ctx, have); err != nil {
		return false, c.settingsError(changed, err)
	}
	if hasNoRegister && len(changed) == 1 {
		c.logger.Info("the stream was made by an earlier version; added the subject on which owners of the stage enter themselves", "subject", c.register)
		c.remember(s)
		return false, nil
	}
	c.logger.Warn("another client changed the settings of the stream; restored them", "settings", strings.Join(changed, ", "))
	c.remember(s)
	return true, nil
}

func (c *Channel) settingsError(changed []string, cause error) error {
	if errors.Is(cause, jetstream.ErrStreamNotFound) {
		return c.lostError()
	}
	cause = fmt.Errorf("stream %s: restore %s: %w", c.name, strings.Join(changed, ", "), cause)
	if passing(cause) {
		return cause
	}
	return fmt.Errorf("%w: %w; change them back yourself, or copy the stream into a new one", ErrSettings, cause)
}

func (c *Channel) remember(s jetstream.Stream) {
	info := s.CachedInfo()
	c.stream.Store(&handle{Stream: s, identity: info.Config.Metadata[metaIdentity], owner: info.Config.Metadata[metaOwner], created: info.Created,
		partitions: partitionsOf(&info.Config), isUsed: info.State.LastSeq > 0})
}
