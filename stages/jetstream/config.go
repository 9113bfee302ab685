package jetstream

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
)

// SourceConfig says what a source reads. NATS.URL and Stream are required.
type SourceConfig struct {
	// NATS is the server that has the stream, and the login there: in general not the one that the pipeline runs on.
	// Replicas and ConnectTimeout are not used: a server that is away is waited for.
	NATS engine.NATS

	Stream   string   `doc:"name of the stream, which must exist"`
	Subjects []string `doc:"read only messages of these subjects, which may have wildcards" default:"all"`
	From     Start    `doc:"where the first run begins" default:"the first message that is stored"`
	UpTo     End      `doc:"where a run ends" default:"it does not end"`
	// AllowGaps goes on where messages are gone that the source has not read: behind them, or at the beginning of a
	// stream that was made anew. Each gap is logged, and its messages are counted as dropped. Otherwise the pipeline
	// stops with an error that says what is missing.
	AllowGaps bool `doc:"go on where messages are gone that were not read" default:"no: the pipeline stops"`
	Prefetch  int  `doc:"messages that are read ahead at most; besides that, 8 MiB" default:"1000" unit:"messages"`
}

// Start is where the first run of a source begins. A run that goes on does so at its place. Its zero value is
// FromFirst.
type Start struct {
	policy   jetstream.DeliverPolicy
	sequence uint64
	time     time.Time
}

// FromFirst begins with the first message that is stored.
func FromFirst() Start { return Start{policy: jetstream.DeliverAllPolicy} }

// FromLast begins with the last message that is stored: of the subjects, if there are some.
func FromLast() Start { return Start{policy: jetstream.DeliverLastPolicy} }

// FromNew begins with the first message that is stored after the source has looked for the first time.
func FromNew() Start { return Start{policy: jetstream.DeliverNewPolicy} }

// FromTime begins with the first message that was stored at a time or later.
func FromTime(t time.Time) Start {
	return Start{policy: jetstream.DeliverByStartTimePolicy, time: t}
}

// FromSequence begins with a message by its sequence, or, with subjects, with the first one behind it. A stream that
// does not reach so far, or has it no more, is refused.
func FromSequence(sequence uint64) Start {
	return Start{policy: jetstream.DeliverByStartSequencePolicy, sequence: sequence}
}

// End is where a run of a source ends. Its zero value is never.
type End struct{ atLast bool }

// UpToLast ends the source behind the message that was the last one of the stream when the run began.
func UpToLast() End { return End{true} }

// consumer is the part of a consumer's configuration that says where it begins.
func (s Start) consumer() jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{DeliverPolicy: s.policy}
	if s.policy == jetstream.DeliverByStartTimePolicy {
		cfg.OptStartTime = &s.time
	}
	if s.policy == jetstream.DeliverByStartSequencePolicy {
		cfg.OptStartSeq = s.sequence
	}
	return cfg
}

const defaultPrefetch = 1000

func (c *SourceConfig) complete() error {
	if c.Prefetch <= 0 {
		c.Prefetch = defaultPrefetch
	}
	switch {
	case c.NATS.URL == "":
		return errors.New("SourceConfig.NATS.URL is empty: name the server that has the stream")
	case c.From.policy == jetstream.DeliverByStartSequencePolicy && c.From.sequence == 0:
		return errors.New("SourceConfig.From is FromSequence(0): sequences begin at 1")
	}
	return checkStream("SourceConfig", c.Stream)
}

func checkStream(where, name string) error {
	if name == "" || strings.ContainsAny(name, ".*> \t\r\n/\\") {
		return fmt.Errorf("%s.Stream is %q: it is the name of a stream, and not of a subject", where, name)
	}
	return nil
}
