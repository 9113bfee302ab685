package channel

import (
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// PartitionsError says in how many partitions a stage ran, and has now. It wraps [ErrPartitions].
type PartitionsError struct {
	Stage     string
	Had, Have int
}

func (e *PartitionsError) Error() string {
	return fmt.Sprintf("stage %s has run in %s and is declared with %d: its states and messages are divided by that number", e.Stage, partitions(e.Had), e.Have)
}

func (e *PartitionsError) Unwrap() error { return ErrPartitions }

func partitions(n int) string {
	if n == 1 {
		return "1 partition"
	}
	return strconv.Itoa(n) + " partitions"
}

// partitionsOf is what a stream tells. Those of stages with one partition do not tell.
func partitionsOf(c *config) int {
	n, err := strconv.Atoi(c.Metadata[metaPartitions])
	if err != nil {
		return 1
	}
	return n
}

// Partitions is how many instances the stage has, as the stream itself tells it.
func (c *Channel) Partitions() int { return c.stream.Load().partitions }

// checkPartitions compares with a stream that has frames. Without any the number is a setting like others.
func (c *Channel) checkPartitions(s jetstream.Stream) error {
	info := s.CachedInfo()
	had := partitionsOf(&info.Config)
	if c.spec.Partitions == 0 || had == c.spec.Partitions || info.State.LastSeq == 0 {
		return nil
	}
	return &PartitionsError{Stage: c.spec.Stage, Had: had, Have: c.spec.Partitions}
}

func mendPartitions(have, want *config) bool {
	if want.Metadata[metaPartitions] == "" || partitionsOf(have) == partitionsOf(want) {
		return false
	}
	if have.Metadata == nil {
		have.Metadata = map[string]string{}
	}
	have.Metadata[metaPartitions] = want.Metadata[metaPartitions]
	return true
}
