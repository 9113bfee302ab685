package channel

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// Partitions says which instances a stage has: Count of them, numbered from First.
type Partitions struct{ First, Count int }

// PartitionsError says which instances the frames of a stage are of, and which are wanted. It wraps [ErrPartitions].
type PartitionsError struct {
	Stage     string
	Had, Have Partitions
}

func (e *PartitionsError) Error() string {
	if e.Had.First != e.Have.First {
		return fmt.Sprintf("stage %s has run in %s that are numbered from %d, and is to run in %s numbered from %d: another run has changed their number",
			e.Stage, partitions(e.Had.Count), e.Had.First, partitions(e.Have.Count), e.Have.First)
	}
	return fmt.Sprintf("stage %s has run in %s and is declared with %d: its states and messages are divided by that number",
		e.Stage, partitions(e.Had.Count), e.Have.Count)
}

func (e *PartitionsError) Unwrap() error { return ErrPartitions }

func partitions(n int) string {
	if n == 1 {
		return "1 partition"
	}
	return strconv.Itoa(n) + " partitions"
}

// partitionsOf is what a stream tells. Those of stages with one partition may not tell, and the numbers begin at 0
// unless a stage has had other partitions before.
func partitionsOf(c *config) Partitions {
	p := Partitions{Count: 1}
	if n, err := strconv.Atoi(c.Metadata[metaPartitions]); err == nil {
		p.Count = n
	}
	if n, err := strconv.Atoi(c.Metadata[metaFirst]); err == nil {
		p.First = n
	}
	return p
}

func (p Partitions) tell(metadata map[string]string) {
	metadata[metaPartitions] = strconv.Itoa(p.Count)
	delete(metadata, metaFirst)
	if p.First > 0 {
		metadata[metaFirst] = strconv.Itoa(p.First)
	}
}

// Partitions are the instances of the stage, as the stream itself tells it. isUsed says that there is something in the
// stream: without that the number is a setting like others.
func (c *Channel) Partitions() (p Partitions, isUsed bool) {
	s := c.stream.Load()
	return s.partitions, s.isUsed
}

// checkPartitions compares with a stream that has frames. Instances with higher numbers follow those that there were:
// the stream is told of them once nothing can bring the others back.
func (c *Channel) checkPartitions(s jetstream.Stream) error {
	info := s.CachedInfo()
	had, have := partitionsOf(&info.Config), c.spec.Partitions
	if have.Count == 0 || had == have || have.First > had.First || info.State.LastSeq == 0 {
		return nil
	}
	return &PartitionsError{Stage: c.spec.Stage, Had: had, Have: have}
}

func mendPartitions(have, want *config) bool {
	if want.Metadata[metaPartitions] == "" || partitionsOf(have) == partitionsOf(want) {
		return false
	}
	if have.Metadata == nil {
		have.Metadata = map[string]string{}
	}
	partitionsOf(want).tell(have.Metadata)
	return true
}

// Relay tells the stream which instances the stage has from now on. Those before are not deleted: see [Channel.Retire].
func (c *Channel) Relay(ctx context.Context, p Partitions) error {
	return repeat(ctx, c.broker, c.logger, "change the settings of stream "+c.name, func(ctx context.Context) error {
		js := c.broker.JetStream()
		s, err := js.Stream(ctx, c.name)
		if err != nil {
			return fmt.Errorf("stream %s: %w", c.name, err)
		}
		cfg := s.CachedInfo().Config
		if partitionsOf(&cfg) == p {
			c.remember(s)
			return nil
		}
		if cfg.Metadata == nil {
			cfg.Metadata = map[string]string{}
		}
		p.tell(cfg.Metadata)
		if s, err = js.UpdateStream(ctx, cfg); err != nil {
			return fmt.Errorf("stream %s: change its partitions: %w", c.name, err)
		}
		c.remember(s)
		return nil
	})
}

// Retire removes all frames of an instance but the last commit, which tells that it is retired.
func (c *Channel) Retire(ctx context.Context) error {
	return repeat(ctx, c.broker, c.logger, "remove the frames of "+c.subject, func(ctx context.Context) error {
		return c.Trim(ctx, math.MaxUint64)
	})
}

// Erase removes everything of an instance that never was one: frames, and entries of owners.
func (c *Channel) Erase(ctx context.Context) error {
	return repeat(ctx, c.broker, c.logger, "remove the frames of "+c.subject, func(ctx context.Context) error {
		for _, subject := range []string{c.subject, c.register} {
			if err := c.purge(ctx, []jetstream.StreamPurgeOpt{jetstream.WithPurgeSubject(subject)}); err != nil {
				return fmt.Errorf("stream %s: remove %s: %w", c.name, subject, err)
			}
		}
		return nil
	})
}
