// Package dlq keeps the dead letters of a pipeline: the messages that an instance gave up on, with their cause, until
// someone replays or discards them.
//
// All dead letters of a pipeline lie in one JetStream stream, [StreamName]. [Open] makes it or takes it over, [Lookup]
// only finds it: the first is for a running pipeline, the second for tools.
//
// [Queue.Put] writes a [Letter]. Its place is fixed by where the message came from, so an instance that crashes between
// writing the letter and committing past the message writes it again without making a second one. Put outlasts an outage
// of the broker; only its context ends the wait. A queue that is full drops nothing: Put fails with [ErrFull].
//
// [Queue.Each] reads the letters from the oldest on, [Queue.Get] finds one by its [Letter.ID], [Queue.Count] counts them.
// [Queue.DeleteAll] is for a fresh start, in which offsets begin at 0 again and old letters would stand in the way of new
// ones.
//
// # What is stored
//
// The subject of a letter is
//
//	<pipeline>.<stage>.<instance>.dead.<input>.<input instance>.<offset>
//
// with ~ in place of the / of a branch. The payload is the value as the stage got it. Everything else is in headers, for
// "nats stream get" and the like to show:
//
//	Penstock-Letter            1, the version of this format
//	Penstock-Pipeline, -Stage, -Instance, -Input, -Input-Instance, -Offset
//	Penstock-Key, -Codec, -Time                          of the message
//	Penstock-Reason, -Error, -Panic, -Stack, -Attempts   why it is here
//	Penstock-Attempts-Omitted  how many attempts the list leaves out
//	Penstock-Version           of the binary
//	Penstock-At                when the letter was written
//	Penstock-Write             tells this write from any other of the same letter
//
// Free text (key, codec, error, panic, stack, version) is a JSON string, or "base64:" and base64 where JSON cannot hold it
// or would blow it up; an empty text has no header. Attempts are a JSON array of {"time", "error"}, with "errorBase64" in
// the same cases. A key longer than a header should be stands behind the value in the payload; Penstock-Key-Bytes says how
// many bytes it has.
//
// The server takes at most 64 KiB of headers. So texts about the failure are cut, and say so: stacks to 16 KiB, errors and
// panics to 4 KiB; of the attempts the first and the last 15 stay, 512 bytes each. When the server's maximum payload
// leaves no room for even that beside the value, they are cut to a few hundred bytes. Value, key and origin are never cut.
package dlq
