package engine

import (
	"fmt"
	"log/slog"
	"time"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/inspect"
	"penstock/engine/internal/memory"
	"penstock/engine/observe"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
	"penstock/engine/trace"
)

// Config says where and how a pipeline runs. The zero value with a Dir runs
// it on an embedded server that syncs every commit to disk.
type Config struct {
	// Dir is the data directory: lock, checkpoints and, with the embedded
	// server, the channels. It is created if needed. Required.
	Dir string
	// Fresh starts over: what the directory and the channels hold of this
	// pipeline is deleted first, dead letters included.
	Fresh bool
	// Arguments are those of the program that decide what the pipeline reads and makes, as a person types them, such as
	// "--ext .go". They are kept with the channels, without credentials, where everyone may read them who may read the
	// settings of a stream. A start from a data directory that is not the run's own takes the run over only with the same
	// ones, in the same order, and is refused with ErrOtherArguments otherwise. In the directory of the run they may
	// change: what they may not is for the program to say, in OnReady. Default: none.
	Arguments []string
	// DiscardLetters lets a run after a complete one delete the dead letters
	// that it left. Default: the run is refused with ErrLettersLeft.
	DiscardLetters bool
	// NATS is the server to use. Its zero value is the embedded one.
	NATS NATS
	// Memory, if it is set, keeps the run in the memory of this process, without
	// server and files: no Dir is needed then, and neither that, a NATS server,
	// frame keys nor limits of the dead letters may be set. For tests,
	// which get one from the package enginetest. What needs a server or files,
	// such as DeadLetters and Examine, answers with ErrInMemory.
	Memory *memory.Backend
	// Sync is how often the embedded server syncs its files: 0 (the
	// default) at every commit, otherwise at this interval, and before
	// every checkpoint. Then a power cut may lose what was committed since,
	// of each stage the newest part, counted attempts included. A killed
	// process loses nothing either way. For an external server its own
	// setting (sync_interval) counts.
	Sync time.Duration
	// CheckpointInterval is how often state is saved to Badger; default
	// 1 s. It bounds what a restart replays, not what is safe: that is
	// every commit.
	CheckpointInterval time.Duration
	// DrainTimeout is how long stages may take to handle what is there
	// after Run's context is done; default 30 s.
	DrainTimeout time.Duration
	// FrameKeys authenticate the frames in the channels (channel.ReadKeys reads
	// them from a file): without one of them
	// a frame cannot be forged, or copied to another place, whatever may be
	// published. Each has at least 16 bytes. The first one writes, all are good
	// for reading: so a key is changed by putting a new one in front, and left
	// out when the channels hold nothing of it any more. Frames that were there
	// before the first key are taken as they are. From then on a start without a
	// key of theirs is refused with ErrFrameKey. Default: none, and who may
	// publish to the channels may forge; see docs/guarantees.md.
	FrameKeys [][]byte
	// DuplicateWindow is the message id window of the streams; default
	// 2 min. Nothing in the pipeline depends on it.
	DuplicateWindow time.Duration
	// DeadLetterBytes bounds the dead-letter stream; default 1 GiB. When it
	// is full a stage that must divert a message waits, says so, and goes on
	// by itself when there is room.
	DeadLetterBytes int64
	// DeadLetterCount bounds how many dead letters are kept; default no
	// bound but that of DeadLetterBytes.
	DeadLetterCount int64
	// DeadLetterAge is how long dead letters are kept; default without a limit.
	DeadLetterAge time.Duration
	// OnDeadLetter is told of every dead letter once it is kept, and once more
	// if the process dies before the commit behind it. It may be called by
	// several goroutines at once, and must not block for long: the stage's
	// commit waits for it. A panic in it is contained and logged.
	OnDeadLetter func(dlq.Letter)
	// MinFree is how many bytes have to be free on the disk of the directory.
	// With less the sources wait and the rest drains; with less than half of
	// it all stages wait, and only checkpoints are written, which make the
	// channels shorter. All goes on by itself when a quarter more is free.
	// Default: an eighth of the file system, and 1 GiB at most. Negative: it
	// is not looked at.
	MinFree int64
	// WaitPatience is how long a stage may wait for something before that is
	// told: in the log, as an event, in the Status and by /readyz. Default: of
	// each kind of wait its own, see docs/operations.md. Negative: nothing is
	// told, and the Status still has all waits.
	WaitPatience time.Duration
	// UnavailableReadiness is what /readyz says while a stage waits for something that its function called Unavailable:
	// observe.Degraded (the default; the pipeline counts as ready all the same), or observe.NotReady.
	UnavailableReadiness string
	// Words are what the program calls the remedies that errors name, in what a run keeps and tells: events, waits, dead
	// letters. The log has its own, see remedy.Handler. Default: names of this library, such as Config.Fresh.
	Words remedy.Words
	// Logger gets what happens; default slog.Default().
	Logger *slog.Logger
	// OnEvent is told of every start, fault, restart and stop of a stage.
	// It is called by one goroutine at a time and must not block for long.
	OnEvent func(supervise.Event)
	// Tracer makes a span of every frame. nil, the default: none is made, and
	// frames take no trace along.
	Tracer trace.Tracer
	// OnReady is called once, when every stage is open and before any of them
	// starts: Status tells where they resume, and State answers. Its error
	// ends the run. At a start that changes the number of partitions of a
	// stage that is before the change.
	OnReady func() error
	// OnStop is called once if OnReady returned nil (or was not set), when
	// every stage has stopped. State still answers, and the directory is still
	// locked: what serves either to others must end here.
	OnStop func()
}

// NATS names an external server or cluster and how to log in. All fields but
// URL are optional.
type NATS = broker.NATS

func (c Config) withDefaults() Config {
	if c.CheckpointInterval <= 0 {
		c.CheckpointInterval = time.Second
	}
	if c.DrainTimeout <= 0 {
		c.DrainTimeout = 30 * time.Second
	}
	if c.DuplicateWindow <= 0 {
		c.DuplicateWindow = 2 * time.Minute
	}
	if c.UnavailableReadiness == "" {
		c.UnavailableReadiness = observe.Degraded
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Memory != nil {
		c.Sync, c.MinFree = 0, -1
	}
	return c
}

func (c Config) check() error {
	if r := c.UnavailableReadiness; r != observe.Degraded && r != observe.NotReady {
		return fmt.Errorf("Config.UnavailableReadiness is %q: it can be observe.Degraded or observe.NotReady", r)
	}
	return c.checkMemory()
}

func (c Config) broker(pipeline, dir string) broker.Config {
	return c.NATS.Config(pipeline, dir, c.Sync, c.Logger)
}

// ToInspect is what packages inspect and doctor need, to look at the pipeline while
// it is stopped.
func (c Config) ToInspect() inspect.Config {
	return inspect.Config{Dir: c.Dir, NATS: c.NATS, FrameKeys: c.FrameKeys, Logger: c.Logger}
}
