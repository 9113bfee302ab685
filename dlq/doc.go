// Package dlq keeps the dead letters of a pipeline: the messages that an instance gave up on, with their cause, until
// an operator replays or discards them.
//
// All dead letters of a pipeline lie in one JetStream stream, [StreamName]. [Open] makes it or takes it over, [Lookup]
// only finds it: the first is for a running pipeline, the second for tools.
//
// [Queue.Put] writes a [Letter]. Its place is fixed by where the message came from, so an instance that crashes between
// writing the letter and committing past the message writes it again without making a second one. Put outlasts an outage
// of the broker; only its context ends the wait. A queue that is full drops nothing: Put fails with [ErrFull].
//
// [Queue.Each] reads the letters from the oldest on, [Queue.Get] finds one by its [Letter.ID], [Queue.Count] counts them,
// [Queue.CountBy] by stage and reason. [Queue.Select] reads those that a [Filter] selects; with WithoutValues it lists
// millions, for values stay on the server. [Queue.Watch] waits for new ones, [Queue.Follow] begins with those there.
// [Queue.Export] and [Queue.Import] move letters as JSON lines.
//
// A message in the stream that is no letter, because another client published it there, hides no other: reading passes over
// it and says so at the end, or shows it as a [Letter] that is Unreadable, by Filter.Unreadable.
//
// [Queue.Discard] deletes a letter. [Queue.DeleteAll] is for a fresh start, in which offsets begin at 0 again and old
// letters would stand in the way of new ones.
//
// # Replays
//
// [Queue.Replay] asks the stage that gave up, or another one, to take the message again, as it was or edited. It only writes
// a request into a second stream, [ReplayStreamName]; the stage takes it when it runs. The letter stays until the message
// has had its effect. If it fails again, a letter of the next [Letter.Round] takes the place of this one and remembers it in
// its History; from [DefaultMaxRounds] on Replay refuses with [ErrRounds] unless told otherwise.
//
// The effect is exactly once. There is at most one request per letter, whichever stage it is for: a second one is refused
// with [ErrPending]. A request counts only as long as the very write of the letter that it was made of is there. The stage
// takes requests in the order of their sequence and commits that sequence together with the effect; what it does then can
// be done again:
//
//	[Queue.NextReplay] from the committed position on, [Queue.IsCurrent]; if not: [Queue.Withdraw]
//	effect and position committed in one: [Queue.Settle], which deletes the letter, then the request
//	failed at every attempt: [Queue.Put] of [Replay.Again] with the cause, position committed, [Queue.Withdraw]
//
// After a crash it settles the requests up to its position before it takes more. Settle of one that failed does no harm: the
// letter of the next round is another write.
//
// Requests are taken in the order in which they were given. Messages of one key keep theirs when letters are replayed in
// the order of [Queue.SelectInOrder].
//
// # What is stored
//
// The subject of a letter is
//
//	<pipeline>.<stage>.<instance>.dead.<input>.<input instance>.<offset>
//
// with ~ in place of the / of a branch, and there is one message per subject. The payload is the value as the stage got it. Everything else is in headers, for
// "nats stream get" and the like to show:
//
//	Penstock-Letter            1, the version of this format
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
// Free text (key, codec, error, panic, stack, version) is a JSON string, or "base64:" and base64 where JSON cannot hold it
// or would blow it up; an empty text has no header. Attempts are a JSON array of {"time", "error"}, with "errorBase64" in
// the same cases. A key longer than a header should be stands behind the value in the payload; Penstock-Key-Bytes says how
// many bytes it has.
//
// A request to replay is the same message with an edited value, if so, without stack, chain and attempts, and with
// Penstock-Replay-Stage, Penstock-Replay-Instance and Penstock-Letter-Sequence. Its subject is
//
//	<pipeline>.<stage>.<instance>.replay.<letter's stage>.<its instance>.<input>.<input instance>.<offset>
//
// The server takes at most 64 KiB of headers. So texts about the failure are cut, and say so: stacks to 16 KiB, errors and
// panics to 4 KiB; of the attempts the first and the last 15 stay, 512 bytes each; of the chain the first and the last 7,
// 320 bytes each; of the history the last 10, 128 bytes of error each. When the server's maximum payload
// leaves no room for even that beside the value, they are cut to a few hundred bytes. Value, key and origin are never cut.
package dlq
