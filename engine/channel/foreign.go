package channel

import (
	"bytes"
	"math/bits"
	"strconv"
	"sync"
	"time"

	"penstock/engine/internal/rule"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Foreign is a message on an instance's subject that is no commit: another client put it there. It is set aside, which
// means that readers and starts pass over it. It stays in the stream until it is trimmed with the frames around it.
type Foreign struct {
	Stream   string
	Sequence uint64
	Size     int    // bytes
	Begin    string // its first bytes, quoted
	Reason   string // why it is no commit
	Count    uint64 // messages set aside so far, this one included
	Told     bool   // it is in the log. Of a flood only some are
}

// foreignBegin is how many bytes of a foreign message are shown.
const foreignBegin = 32

const (
	noCommit  = "it was published without the sequence that a commit expects"
	misplaced = "it is a frame of another subject"
)

// isMarked says whether a message was published as a commit: with the sequence of the one before on its subject, which
// the server has checked, and keeps with the message. What is copied from another stream by the server itself says so.
// Everything else is no commit, whatever it holds: garbage, a frame of another stage, an old frame once more.
func isMarked(header nats.Header) bool {
	if !rule.ForeignCheck || !rule.Fencing {
		return true
	}
	return len(header[jetstream.ExpectedLastSubjSeqHeader]) > 0 || len(header[sourceHeader]) > 0
}

// IsCommit says whether a message with these headers, as they are stored, was published as a commit.
func IsCommit(header []byte) bool {
	return bytes.Contains(header, []byte(jetstream.ExpectedLastSubjSeqHeader+":")) || bytes.Contains(header, []byte(sourceHeader+":"))
}

// sourceHeader is what a server adds to a message that it takes over from another stream. It drops what was expected.
const sourceHeader = "Nats-Stream-Source"

// mostRemembered bounds how many foreign messages are known one by one.
const mostRemembered = 4096

// foreign counts the foreign messages of a channel, each once: writer and readers meet the same ones.
type foreign struct {
	mu    sync.Mutex
	known map[uint64]time.Time // by sequence, which a server that lost its tail uses again
	count uint64
}

// add says whether the message is new, and how many there are.
func (f *foreign) add(sequence uint64, stored time.Time) (count uint64, isNew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, found := f.known[sequence]; found && known.Equal(stored) {
		return f.count, false
	}
	if len(f.known) >= mostRemembered {
		f.forgetOlder()
	}
	if f.known == nil {
		f.known = make(map[uint64]time.Time)
	}
	f.known[sequence] = stored
	f.count++
	return f.count, true
}

// forgetOlder drops about half of what is known, the lower sequences.
func (f *foreign) forgetOlder() {
	low, high := ^uint64(0), uint64(0)
	for sequence := range f.known {
		low, high = min(low, sequence), max(high, sequence)
	}
	for sequence := range f.known {
		if sequence <= low+(high-low)/2 {
			delete(f.known, sequence)
		}
	}
}

// Foreign tells how many foreign messages were met on the instance's subject, in this process.
func (c *Channel) Foreign() uint64 {
	c.foreign.mu.Lock()
	defer c.foreign.mu.Unlock()
	return c.foreign.count
}

// setAside counts a foreign message. The first ones are told, and then ever fewer, so that a flood of them does not
// flood the log.
func (c *Channel) setAside(sequence uint64, stored time.Time, data []byte, reason string) {
	count, isNew := c.foreign.add(sequence, stored)
	if !isNew {
		return
	}
	f := Foreign{
		Stream: c.name, Sequence: sequence, Size: len(data), Count: count, Reason: reason,
		Begin: strconv.QuoteToASCII(string(data[:min(len(data), foreignBegin)])),
		Told:  count <= 4 || bits.OnesCount64(count) == 1,
	}
	if f.Told {
		c.logger.Warn("set aside a message of another client in the channel; nothing is lost; find the client that publishes to this subject",
			"subject", c.subject, "sequence", sequence, "bytes", f.Size, "begins", f.Begin, "reason", reason, "so_far", count)
	}
	if c.spec.OnForeign != nil {
		c.spec.OnForeign(f)
	}
}
