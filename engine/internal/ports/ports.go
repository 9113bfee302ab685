package ports

import (
	"context"
	"time"

	"penstock/internal/pause"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/internal/wall"
)

// Log is the channel of an instance.
type Log interface {
	OwnedLog
	Last(ctx context.Context) (channel.Record, bool, error) // commit
	Info(ctx context.Context) (channel.Info, error)
	Trim(ctx context.Context, before uint64) error
	Cut(ctx context.Context, after uint64) error
	Restore(ctx context.Context) (changed bool, err error)
	Own(ctx context.Context, by channel.Owner) error // says in the channel who runs the pipeline
	Reader(cfg channel.ReaderConfig) *channel.Reader
}

// OwnedLog is the channel of an instance with its register, as a take-over needs it. The stream's leader answers every
// read.
type OwnedLog interface {
	// Publish stores a commit if the last message of the subject of commits has the expected sequence.
	Publish(data []byte, expected uint64, trace channel.Trace) *channel.Pending
	// Claim stores an entry if the last message of the register has the expected sequence, 0 for none.
	Claim(data []byte, expected uint64) *channel.Pending
	// Seal stores a seal on the subject of commits if the last message of the register has the sequence of the claim.
	Seal(data []byte, claim uint64) *channel.Pending

	// End returns the last commit or seal, Newest the newest entry of the register. Tail of the record is the last
	// message of the subject, whatever it is, also when nothing is found.
	End(ctx context.Context) (channel.Record, bool, error)
	Newest(ctx context.Context) (channel.Record, bool, error)
	// Replay calls fn with the commits from a sequence on.
	Replay(ctx context.Context, from uint64, fn func(channel.Record) error) error
}

// Store is the corner of an instance in the store.
type Store interface {
	Load() (checkpoint.Checkpoint, bool, error)
	Key(key string) (value []byte, found bool, err error)
	KeysFrom(from string, fn func(key string, value []byte) error) error
	Note(name string) ([]byte, bool, error)
	PutNote(name string, value []byte) error
	PutNoteUnsynced(name string, value []byte) error
	PutNotesUnsynced(notes map[string][]byte) error
}

// Notes are what the process notes in the store, of no instance.
type Notes interface {
	Note(name string) ([]byte, bool, error)
	PutNote(name string, value []byte) error
}

// Server is what a run has to know, while it runs, of the one that keeps the channels.
type Server interface {
	Embedded() bool
	Server() string // without credentials
	Connected() bool
	Failure() string // why it is not connected, as far as that is known; "" while it is
	Reconnects() uint64
	Unanswered() (since time.Time, is bool) // it is connected, and does not answer
	SyncFiles(ctx context.Context) error
	SyncAllFiles(ctx context.Context) error
	SyncStreamFiles(ctx context.Context, stream string) error
	// Trouble is why it takes no more writes; Restart starts it anew then.
	Trouble() error
	Restart(ctx context.Context) error
}

// DeadLetters is the queue of dead letters as the stages need it.
type DeadLetters interface {
	Put(ctx context.Context, l dlq.Letter) (written bool, err error)
	Reached() uint64
	Discard(ctx context.Context, l dlq.Letter) error
	NextReplay(ctx context.Context, stage string, instance int, from uint64) (dlq.Replay, bool, error)
	IsCurrent(ctx context.Context, r dlq.Replay) (bool, error)
	Withdraw(ctx context.Context, r dlq.Replay) error
	PassOn(ctx context.Context, r dlq.Replay, instance int) error
	OnReplay(fn func(stage string, instance int)) (stop func(), err error)
}

// Clock is how the loops know the time and wait.
type Clock interface {
	Now() time.Time
	Pause(ctx context.Context, d time.Duration) error
	// Until waits for done, or returns the error of ctx.
	Until(ctx context.Context, done <-chan struct{}) error
}

var (
	_ Log         = (*channel.Channel)(nil)
	_ Store       = (*checkpoint.Instance)(nil)
	_ Server      = (*broker.Broker)(nil)
	_ DeadLetters = (*dlq.Queue)(nil)
	_ Clock       = RealTime{}
)

// RealTime is the clock of the machine, as package wall reads it.
type RealTime struct{}

func (RealTime) Now() time.Time { return wall.Now() }

func (RealTime) Pause(ctx context.Context, d time.Duration) error { return pause.For(ctx, d) }

func (RealTime) Until(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
