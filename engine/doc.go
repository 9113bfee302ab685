// Package engine builds and runs durable, stateful pipelines: stages that are plain Go functions, with JetStream channels
// between them. Each message takes effect exactly once in the pipeline, also when a stage panics, the process is killed or
// a message is poison.
//
// # A pipeline
//
// [New] begins a pipeline, and each declaration adds a stage to it. A [Source] has no input. A [Stage] reads streams and
// writes one. A [Sink] has its effect outside. What Source and Stage return is a [Stream], and handing it to another stage
// is the wiring:
//
//	p := engine.New("shout")
//	lines := engine.Source(p, "lines", read)
//	loud := engine.Stage(p, "loud", engine.On(lines, shout))
//	engine.Sink(p, "print", loud, write)
//	err := p.Run(ctx, engine.Config{Dir: "data"})
//
// Any number of stages may read a stream, each at its own pace, and a stage may read any number of streams. Mistakes in the
// declaration (a stream without a reader, two stages of one name, a cycle) are all reported together by [Pipeline.Check],
// which [Pipeline.Run] calls first.
//
// # The functions
//
// Every function of a stage gets a context, the stage's state and emit. It changes the state, emits, and returns. Returning
// nil asks for the commit: state, position and outputs become durable together, or none of them. A function cannot
// acknowledge, commit or lose a message. The functions of one stage are called one at a time, by one goroutine.
//
// A [SourceFunc] is called again and again and keeps its place in its state. It may block, for as long as it returns soon
// after its context is done. [io.EOF] ends it for good.
//
// A [MessageFunc] is called for each message of one input (see [On]) and answers with:
//
//   - nil: done with it.
//   - [Hold]: not yet. It comes again when something else has moved in the stage.
//   - [Snooze]: again after a while. Messages behind it on the same stream wait.
//   - [Reject]: it can never succeed. It becomes a dead letter now.
//   - [Unavailable]: what it calls is away. It comes again by itself, for as long as that takes, and counts no attempt.
//   - [Fatal]: trying again cannot mend this. The pipeline stops with the error.
//   - io.EOF: done with it, and the stage ends.
//   - any other error, or a panic: a fault.
//
// What the call emitted and changed counts only when it is done with the message:
//
//	func serve(_ context.Context, clean *int, m engine.Message[Order], emit engine.Emit[Served]) error {
//		if *clean == 0 {
//			return engine.Hold // no cup: the other input brings one
//		}
//		*clean--
//		emit(Served{m.Value})
//		return nil
//	}
//
// # State
//
// The state is a value of any type, and its zero value is where a stage begins. It is written by a [Codec], CBOR unless it
// is a string, a number, a boolean or bytes; [StateCodec] replaces that, for example by [JSON]. Nothing is lost on the way:
// a type with a field that the codec cannot keep is refused by Check, a value that it cannot keep is an [EncodeError]. What
// must not be kept, such as an open file, is a field marked json:"-", which is empty again after a fault.
//
// With [KeyBy] a stage has one state per key instead of one for all, any number of them: they live on disk, and only those
// that changed travel in a commit. [CurrentKey] names the key at hand, [ForgetKey] deletes its state.
//
//	byUser := engine.KeyBy(clicks, func(c Click) string { return c.User })
//	tasks := engine.Stage(p, "tasks", engine.On(byUser, count)) // count's state is that of one user
//
// # Faults
//
// After an error or a panic the stage goes back to its last commit, waits (see [RestartBackoff]) and tries again. Only this
// stage: the others go on. [Message.Attempt] tells which try it is, also across restarts of the process. A message that
// has failed [Attempts] times is diverted to the dead letters of the pipeline with its error and stack, and the stage goes
// on with the next one. They are kept until an operator replays or discards them (see the package dlq), and counted in the
// Status. A source, a timer or a hook that fails is tried again until the restart limit of its group stops the pipeline.
//
// # Supervision
//
// A pipeline is a supervision tree in the words of Erlang/OTP. [RestartPolicy], [RestartBackoff] and [RestartLimit] are
// those of a stage; a [Group] restarts its stages by a strategy, allows so many restarts in a window, and then fails as a
// whole, which is its parent's business; at the root the pipeline stops, and nothing is lost:
//
//	device := p.Group("device", engine.Group{Strategy: supervise.RestForOne})
//	samples := engine.Source(device, "sample", read)
//
// A recovery function (Recover in [Hooks], or [SetRecovery]) gets each [Fault] and may restart with another state, ignore,
// stop, escalate or handle it. [Deadline] finds a function that hangs: it is left behind, can change nothing any more, and
// the stage goes on. [HealthChecks] ask how a stage is. A stage that calls out answers [Unavailable] when it cannot, and
// with a [CircuitBreaker] stops trying for a while. [Pipeline.History] has the newest events of a stage, also of earlier
// processes, and [Pipeline.RestartStage], StopStage and StartStage are for operators. docs/supervision.md is the guide.
//
// # More than one stream, more than messages
//
// A [Branch] is a second, typed stream of a stage, chosen value by value as they are emitted:
//
//	bad := engine.Branch[string](p, "bad")
//	good := engine.Stage(p.With(engine.Branches(bad)), "parse", engine.On(lines, parse)) // parse calls emit or bad.Emit
//	engine.Sink(p, "complain", &bad.Stream, complain)
//
// A stream that is meant to have no reader is given to [Discard]. [OnBatch] and [SinkBatch]
// take many messages in one call. [Every] calls a function at an interval, [OnTimer] once at a time that [SetTimer] gives,
// and what either does is committed like the effect of a message. [Hooks] are called around the life of a stage: at each start, before each commit, at the end, and at each
// stop. [Stream.WithCodec], [Stream.WithCompression] and [Stream.WithCapacity] set how a stream's values are written and
// how far its writer may run ahead of the slowest reader. [Pipeline.With] gives a stage options.
//
// # Effects outside
//
// Inside the pipeline everything is exactly once. A sink has its effect before its position is committed, so after a crash
// the last messages come to it again. [Message.ID] is the same every time and serves as an idempotency key. An effect that
// can be undone is exactly once with hooks: Start cuts the file back to what the state says, BeforeCommit syncs it (the
// package stages has such a sink).
//
// # Running
//
// [Config] names the data directory, and with [NATS] a server or cluster to use. Without one the engine runs a server inside
// the process that opens no port. Run returns nil when every stage has ended: a source by io.EOF, any other stage when its
// inputs have ended and are used up. When its context is done it drains and returns nil as well; [Pipeline.Status] tells
// the difference.
//
// A run that was interrupted, by whatever, goes on where it was when the same pipeline is run again on the same directory.
// One that had completed starts anew; if its process died before Run had returned, the next Run only returns. Where disk and channels do not fit together Run refuses with an error that wraps
// [ErrRefused] and names the remedy, rather than go on and be silently wrong. A data directory has one process at a time
// ([ErrLocked]); a stage that another process has taken over commits nothing more ([FencedError]).
//
// # Looking inside
//
// [Pipeline.Status] counts what each stage did. [Pipeline.State] gives the committed state of a stage of the running
// pipeline as JSON, and the package inspect that of one which is not running; the package doctor finds what is wrong with
// its data directory, and mends it. [InfoOf], [Attempt] and [Logger] tell a stage function
// about the call it is in. A [Tracer] makes a span of every frame. The package enginetest runs pipelines in tests.
package engine
