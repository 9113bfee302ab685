package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/stages"
)

// Name is the pipeline's name.
const Name = "ledger"

// Config sizes a run. The zero value is ready.
type Config struct {
	Entries  uint64        // default 4000
	Keys     uint64        // accounts; default 97
	Messages uint64        // capacity of each channel; default 120
	Bytes    uint64        // likewise; default 128 KiB
	Pace     time.Duration // what the source takes for five entries; default nothing
	Slow     time.Duration // what the tally takes for each entry; default nothing
	Output   string        // the file of postings; "" counts them only
}

// WithDefaults returns the configuration as New uses it.
func (c Config) WithDefaults() Config {
	if c.Entries == 0 {
		c.Entries = 4000
	}
	if c.Keys == 0 {
		c.Keys = 97
	}
	if c.Messages == 0 {
		c.Messages = 120
	}
	if c.Bytes == 0 {
		c.Bytes = 128 << 10
	}
	return c
}

// Key is the key of an entry.
func (c Config) Key(entry uint64) string { return fmt.Sprintf("k%03d", entry%c.Keys) }

// Refused says whether the book rejects the entry.
func Refused(entry uint64) bool { return entry%101 == 50 }

// Shaky says whether the book panics at the first attempt of the entry.
func Shaky(entry uint64) bool { return entry%499 == 120 }

// New declares the pipeline.
func New(c Config) *engine.Pipeline {
	c = c.WithDefaults()
	room := engine.Capacity{Messages: c.Messages, Bytes: c.Bytes}
	p := engine.New(Name)
	entries := engine.Source(p, "entries", c.count).WithCapacity(room)
	quick := p.With(
		engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond}),
		engine.KeysInMemory(20),
	)
	postings := engine.Stage(quick, "book", engine.On(engine.KeyBy(entries, c.Key), c.post)).WithCapacity(room)
	audited := engine.Stage(p, "audit", engine.On(postings, audit)).WithCapacity(room)
	engine.Sink(p, "tally", entries, c.tally)
	if c.Output == "" {
		engine.Sink(p, "file", audited, func(_ context.Context, n *uint64, _ engine.Message[Posting]) error {
			*n++
			return nil
		})
		return p
	}
	stages.FileSink(p, "file", audited, c.Output, AppendLine)
	return p
}

// Place is the source's state.
type Place struct {
	Next uint64 `json:"next"`
}

const entriesPerCall = 5

func (c Config) count(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
	if err := take(ctx, c.Pace); err != nil {
		return err
	}
	for range entriesPerCall {
		if at.Next == c.Entries {
			return io.EOF
		}
		emit(at.Next)
		at.Next++
	}
	return nil
}

var errRefused = errors.New("refused on purpose")

func (c Config) post(_ context.Context, a *Account, m engine.Message[uint64], emit engine.Emit[Posting]) error {
	a.N++
	a.Amount = rand.Uint64()
	a.Balance += a.Amount
	emit(Posting{Key: m.Key, Entry: m.Value, N: a.N, Amount: a.Amount, Balance: a.Balance})
	switch {
	case Refused(m.Value):
		return engine.Reject(errRefused)
	case Shaky(m.Value) && m.Attempt == 1:
		panic("shaky on purpose")
	}
	return nil
}

// Audit is the audit's state: what it makes of each account.
type Audit struct {
	Seen     uint64             `json:"seen"`
	Accounts map[string]Account `json:"accounts"`
}

func audit(_ context.Context, a *Audit, m engine.Message[Posting], emit engine.Emit[Posting]) error {
	if a.Accounts == nil {
		a.Accounts = map[string]Account{}
	}
	if err := m.Value.follows(a.Accounts[m.Value.Key]); err != nil {
		return engine.Fatal(fmt.Errorf("audit: %w", err))
	}
	a.Seen++
	a.Accounts[m.Value.Key] = m.Value.account()
	emit(m.Value)
	return nil
}

// Tally is the tally's state.
type Tally struct {
	Count uint64 `json:"count"`
	Sum   uint64 `json:"sum"`
}

func (c Config) tally(ctx context.Context, t *Tally, m engine.Message[uint64]) error {
	if err := take(ctx, c.Slow); err != nil {
		return err
	}
	t.Count++
	t.Sum += m.Value
	return nil
}

// take is work that takes so long.
func take(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
