// Package engine builds and runs durable, stateful pipelines: stages that are plain Go functions, with JetStream
// channels between them. Each message takes effect exactly once in the pipeline, also when a stage panics, the process
// is killed, or a message fails every time.
//
// # A pipeline
//
// [New] begins a pipeline, and each declaration adds a stage to it. A [Source] has no input. A [Stage] reads streams
// and writes one. A [Sink] has its effect outside. Source and Stage return a [Stream]. Pass it to another stage to
// connect the two:
//
//	p := engine.New("shout")
//	lines := engine.Source(p, "lines", read)
//	loud := engine.Stage(p, "loud", engine.On(lines, shout))
//	engine.Sink(p, "print", loud, write)
//	err := p.Run(ctx, engine.Config{Dir: "data"})
//
// Any number of stages may read a stream, each at its own pace, and a stage may read any number of streams.
// [Pipeline.Check] reports all mistakes in the declaration together: a stream without a reader, two stages of one name,
// a cycle. [Pipeline.Run] calls it first.
//
// # The functions
//
// Every function of a stage gets a context, the stage's state and emit. It changes the state, emits, and returns. If it
// returns nil, state, position and outputs become durable together, or none of them. A function cannot acknowledge,
// commit or lose a message. The functions of one stage are called one at a time, by one goroutine.
//
// A [SourceFunc] is called again and again and keeps its place in its state. It may block, as long as it returns soon
// after its context is done. [io.EOF] ends it for good.
//
// A [MessageFunc] is called for each message of one input (see [On]) and returns:
//
//   - nil: the message is done.
//   - [Hold]: not yet. The message comes again when something else has moved in the stage.
//   - [Snooze]: the message comes again after a while. Messages behind it on the same stream wait.
//   - [Reject]: the message can never succeed. It becomes a dead letter now.
//   - [Unavailable]: what the function calls cannot be reached. The call is made again until it succeeds, and counts no
//     attempt.
//   - [Fatal]: trying again cannot help. The pipeline stops with the error.
//   - io.EOF: the message is done, and the stage ends.
//   - any other error, or a panic: a fault.
//
// What the call emitted and changed counts only when the message is done:
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
// The state is a value of any type. A stage begins with its zero value. A [Codec] writes it: CBOR, unless it is a
// string, a number, a boolean or bytes. [StateCodec] replaces the codec, for example by [JSON]. Nothing is lost on the
// way. Check refuses a type with a field that the codec cannot keep. A value that the codec cannot keep is an
// [EncodeError]. Mark a field that must not be kept, such as an open file, with json:"-". It is empty again after a
// fault.
//
// With [KeyBy] a stage has one state per key, and any number of keys. The states are kept on disk, and a commit holds
// only those that changed. [CurrentKey] returns the current key, and [ForgetKey] deletes its state.
//
//	byUser := engine.KeyBy(clicks, func(c Click) string { return c.User })
//	tasks := engine.Stage(p, "tasks", engine.On(byUser, count)) // count's state is that of one user
//
// # Faults
//
// After an error or a panic the stage goes back to its last commit, waits (see [RestartBackoff]) and tries again. Other
// stages go on. [Message.Attempt] tells which attempt it is, also across restarts of the process. A message that has
// failed [Attempts] times becomes a dead letter of the pipeline, with its error and stack, and the stage goes on with
// the next one. Dead letters are kept until an operator replays or discards them (see the package dlq), and counted in
// the Status. A source, a timer or a hook that fails is tried again until the restart limit of its group stops the
// pipeline.
//
// # Supervision
//
// A pipeline is a supervision tree in the words of Erlang/OTP. A stage has a [RestartPolicy], a [RestartBackoff] and a
// [RestartLimit]. A [Group] restarts its stages by a strategy and allows a number of restarts in a window. Beyond that
// it fails as a whole, and its parent decides. At the root the pipeline stops, and nothing is lost:
//
//	device := p.Group("device", engine.Group{Strategy: supervise.RestForOne})
//	samples := engine.Source(device, "sample", read)
//
// A recovery function (Recover in [Hooks], or [SetRecovery]) gets each [Fault] and may restart with another state,
// ignore, stop, escalate or handle it. [Deadline] finds a function that hangs: it is abandoned, can change nothing any
// more, and the stage goes on. [HealthChecks] check the health of a stage. A stage that calls out returns [Unavailable]
// when it cannot, and with a [CircuitBreaker] makes no call for a while. [Pipeline.History] has the newest events of a
// stage, also of earlier processes. [Pipeline.RestartStage], StopStage and StartStage are for operators.
// docs/supervision.md is the guide.
//
// # More streams, batches, timers and hooks
//
// A [Branch] is a second, typed stream of a stage. The function chooses the stream of each value:
//
//	bad := engine.Branch[string](p, "bad")
//	good := engine.Stage(p.With(engine.Branches(bad)), "parse", engine.On(lines, parse)) // parse calls emit or bad.Emit
//	engine.Sink(p, "complain", &bad.Stream, complain)
//
// Pass a stream that is meant to have no reader to [Discard]. [OnBatch] and [SinkBatch] take many messages in one call.
// [Every] calls a function at an interval, and [OnTimer] once at a time that [SetTimer] sets. The effect of both is
// committed like that of a message. [Hooks] are called at each start, before each commit, at the end, and at each stop
// of a stage. [Stream.WithCodec], [Stream.WithCompression] and [Stream.WithCapacity] set how a stream's values are
// written and how far its writer may run ahead of the slowest reader. [Pipeline.With] gives a stage options.
//
// # Effects outside
//
// Inside the pipeline everything is exactly once. A sink has its effect before its position is committed, so after a
// crash it gets the last messages again. [Message.ID] is the same every time and serves as an idempotency key. An
// effect that can be undone is exactly once with hooks: Start cuts the file back to the length in the state, and
// BeforeCommit syncs it (the package stages has such a sink).
//
// # Running
//
// [Config] names the data directory, and with [NATS] a server or cluster to use. Without one the engine runs a server
// inside the process that opens no port. Run returns nil when every stage has ended: a source by io.EOF, any other
// stage when its inputs have ended and are used up. When its context is done it drains and returns nil as well.
// [Pipeline.Status] tells the difference.
//
// An interrupted run resumes when the same pipeline is run again on the same directory, whatever interrupted it. After
// a complete run, the next Run starts from the beginning. If the process died before Run had returned, the next Run
// only returns. Where disk and channels do not fit together, Run refuses with an error that wraps [ErrRefused] and
// names the remedy, rather than go on and be silently wrong. One process at a time may use a data directory
// ([ErrLocked]). A stage that another process has taken over commits nothing more ([FencedError]).
//
// # Looking inside
//
// [Pipeline.Status] counts what each stage did. [Pipeline.State] returns the committed state of a stage of the running
// pipeline as JSON, and the package inspect that of a stopped one. The package doctor finds what is wrong with a data
// directory, and mends it. [InfoOf], [Attempt] and [Logger] tell a stage function about its call. A [Tracer] makes a
// span of every frame. The package enginetest runs pipelines in tests.
package engine
