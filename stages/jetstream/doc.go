// Package jetstream reads and writes JetStream streams that exist, on any NATS server: those of other programs. (The
// streams that a pipeline keeps its own channels in are the engine's.)
//
//	orders := jetstream.Source(p, "orders", jetstream.SourceConfig{
//		NATS:     engine.NATS{URL: "nats://shop:4222", Credentials: "orders.creds"},
//		Stream:   "ORDERS",
//		Subjects: []string{"orders.new", "orders.paid.>"},
//	})
//	jetstream.Sink(p, "bills", bills, jetstream.SinkConfig{
//		NATS:   engine.NATS{URL: "nats://books:4222"},
//		Stream: "BILLS",
//	}, func(b Bill) (jetstream.Message, error) { … })
//
// # The source
//
// It reads in the order of the stream, each message exactly once. Its place is the sequence of the next message. The
// place is the stage's state, so it is committed together with what was made of the messages, and nothing is
// acknowledged to the server. The source makes a consumer in the server's memory, named after pipeline and stage, and
// removes it when it stops. Others may look at it, and may delete it: another one is made.
//
// SourceConfig.From says where the first run begins: at the first message, the last, new ones, a time or a sequence.
// That is decided and committed before anything is read. A run after a complete one begins there again.
//
// What happens when the stream changes:
//
//   - Messages that were not read are gone, by a limit, a purge or a deletion: the pipeline stops with [ErrGap],
//     which names them. With SourceConfig.AllowGaps it logs them, counts them as dropped and goes on behind them.
//   - With SourceConfig.Subjects the source cannot know which subjects the messages had that are gone. It stops when
//     a limit or a purge has come close to its place. A single message that was deleted is not noticed. So give the
//     stream limits with room for the time that the pipeline may be stopped.
//   - The stream was deleted: the stage waits for ten seconds, and then the pipeline stops with [ErrOtherStream]. The
//     same if it was made anew under its name (its Created time tells), or if it has lost messages that the source
//     had read, as by a power cut of its server or a restored copy. With AllowGaps it goes on with what is there.
//   - Its leader changes, or its server restarts: the source goes on at its place.
//   - The server is away: the stage waits as unavailable, for as long as it takes. No attempt and no restart is
//     counted.
//
// Streams with the retention work queue or interest are refused: their messages are deleted when they are
// acknowledged, so that a source could not go back. Let a stream with the retention limits mirror or source them.
//
// # The sink
//
// SinkConfig.Mode is one of two:
//
//   - [ExpectLast], the default, writes exactly once, on a stream that only this sink writes. Each publish expects
//     the sequence at which the sink has left the stream; the server refuses it otherwise. Each message has a header,
//     [MarkHeader], which says what it was made of. After a crash the sink reads at the end of the stream what it
//     wrote since its last commit, and passes over that. So it needs no window. A process that was replaced cannot
//     write behind the one that has gone on: its publish expects an end that is no more. If others write into the
//     stream, the pipeline stops with [ErrEnd].
//   - [MessageID] gives each message an id that is the same when it comes again. The server drops it within the
//     stream's duplicate window (2 minutes by default). That is exactly once as long as the pipeline goes on within
//     the window, and at least once beyond. Others may write into the stream.
//
// In both, messages are published one behind the other without waiting for each answer (SinkConfig.InFlight). A
// replayed dead letter is written once, at the end of the stream. Headers that begin with Nats- are instructions to a
// server: the sink leaves them out.
//
// # Logging in
//
// NATS is the engine's type for a server and a login, with TLS, credentials, keys, tokens and passwords. The source
// needs the rights to publish to $JS.API.INFO, $JS.API.STREAM.INFO.STREAM, $JS.API.CONSUMER.CREATE.STREAM.* and
// $JS.API.CONSUMER.MSG.NEXT.STREAM.*, and should have $JS.API.CONSUMER.DELETE.STREAM.*; the sink needs the same, and
// those for its subjects. A right that is missing is named at the start. No password, token or login within a URL is
// shown in a log or an error.
package jetstream
