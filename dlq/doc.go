// Package dlq keeps the dead letters of a pipeline: the messages that an instance gave up on, with their cause, until
// an operator replays or discards them.
//
// All dead letters of a pipeline are in one JetStream stream, [StreamName]. [Open] makes it or takes it over, and is
// for a running pipeline. [Lookup] only finds it, and is for tools.
//
// [Queue.Put] writes a [Letter]. The origin of the message fixes its place. So an instance that crashes between the
// letter and the commit that passes the message writes the letter again without making a second one. Put waits for a
// broker that is away until its context ends. A full queue drops nothing: Put fails with [ErrFull].
//
// [Queue.Each] reads the letters from the oldest on, [Queue.Get] finds one by its [Letter.ID], [Queue.Count] counts
// them, and [Queue.CountBy] counts them by stage and reason. [Queue.Select] reads those that a [Filter] selects. With
// WithoutValues it can list millions, because values stay on the server. [Queue.Watch] waits for new letters.
// [Queue.Follow] begins with the existing ones. [Queue.Export] and [Queue.Import] move letters as JSON lines.
//
// A message in the stream that is no letter, because another client published it there, hides no other letter. Reading
// passes over it and says so at the end, or with Filter.Unreadable returns it as a [Letter] that is Unreadable.
//
// [Queue.Discard] deletes a letter. [Queue.DeleteAll] is for a fresh start, in which offsets begin at 0 again and old
// letters would take the places of new ones.
//
// # Replays
//
// [Queue.Replay] asks the stage that gave up, or another one, to handle the message again, as it was or edited. It only
// writes a request into a second stream, [ReplayStreamName]. The stage takes the request when it runs. The letter stays
// until the message has had its effect. If the message fails again, a letter of the next [Letter.Round] replaces this
// one and lists it in its History. From [DefaultMaxRounds] on Replay refuses with [ErrRounds], unless told otherwise.
//
// The effect is exactly once. There is at most one request per letter, for whichever stage: a second one is refused
// with [ErrPending]. A request counts only while the write of the letter is stored from which it was made. The stage
// takes requests in the order of their sequence and commits that sequence together with the effect. What it does after
// that can be repeated:
//
//	[Queue.NextReplay] from the committed position on, [Queue.IsCurrent]; if not: [Queue.Withdraw]
//	effect and position committed in one: [Queue.Settle], which deletes the letter, then the request
//	failed at every attempt: [Queue.Put] of [Replay.Again] with the cause, position committed, [Queue.Withdraw]
//
// After a crash it settles the requests up to its position before it takes more. To settle a request whose message
// failed does no harm: the letter of the next round is another write.
//
// Requests are taken in the order in which they were made. Messages of one key keep their order when letters are
// replayed in the order of [Queue.SelectInOrder].
//
// # What is stored
//
// The subject of a letter is
//
//	<pipeline>.<stage>.<instance>.dead.<input>.<input instance>.<offset>
//
// with ~ in place of the / of a branch, and there is one message per subject. The payload is the value as the stage got
// it. Everything else is in headers, which "nats stream get" and similar tools show:
//
//	Penstock-Letter            the version of this format: 1, or 2 with an original value
//	Penstock-Pipeline, -Stage, -Instance, -Input, -Input-Instance, -Offset
//	Penstock-Key, -Codec, -Time                          of the message
//	Penstock-Reason, -Error, -Panic, -Stack, -Chain, -Attempts   why it is here
//	Penstock-Attempts-Omitted  how many attempts the list leaves out
//	Penstock-Round, -History   when it was replayed before
//	Penstock-To                the stage that gave up, if a replay went to another one
//	Penstock-Edited            true when a replay replaced the value
//	Penstock-Version           of the binary
//	Penstock-At                when the letter was written
//	Penstock-Write             tells this write from any other of the same letter
//
// Free text (key, codec, error, panic, stack, version) is a JSON string, or "base64:" and base64 where JSON cannot hold
// it or would make it much longer. An empty text has no header. Attempts are a JSON array of {"time", "error"}, with
// "errorBase64" in the same cases. A key that is too long for a header is behind the value in the payload, and
// Penstock-Key-Bytes says how many bytes it has. The value before a replay replaced it is the last in the payload, and
// Penstock-Original-Bytes says how many bytes that has.
//
// A request for a replay is the same message, with the edited value if there is one, without stack, chain and attempts,
// and with Penstock-Replay-Stage, Penstock-Replay-Instance and Penstock-Letter-Sequence. Its subject is
//
//	<pipeline>.<stage>.<instance>.replay.<letter's stage>.<its instance>.<input>.<input instance>.<offset>
//
// The server takes at most 64 KiB of headers. So texts about the failure are cut, and say so: stacks to 16 KiB, errors
// and panics to 4 KiB; of the attempts the first and the last 15 stay, 512 bytes each; of the chain the first and the
// last 7, 320 bytes each; of the history the last 10, 128 bytes of error each. When the server's maximum payload leaves
// no room for even that beside the value, they are cut to a few hundred bytes. Value, key and origin are never cut.
package dlq
