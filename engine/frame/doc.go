// Package frame is the wire format of a channel.
//
// A [Frame] is many messages in one JetStream message, together with what the writer consumed for them and how its
// state changed. One publish makes all of it durable or none of it: the frame is the transaction.
//
// A writer gathers messages in one [Section] per destination as its stage emits them. They are encoded at once, so a
// message may be reused as soon as [Section.Append] returns. [Section.Truncate] removes what a failed call had emitted.
// [Append] then turns the frame into bytes.
//
// Most frames are commits. [Kind] names the others: fences, and what takes an instance from one owner to the next. The
// engine of a build does not act on all that the format has; [Frame.CheckActed] tells what it must not touch.
//
// A reader calls [Decode] once per frame, which checks everything: the checksum, every length and every message. After
// that an [Iterator] over [Section.Messages] cannot fail and does not allocate. A reader that is not the frame's owner
// uses [DecodeOutputs], which leaves out the owner's state.
//
// Nothing in a decoded frame is copied, apart from strings: it aliases the bytes given to Decode, which must not change
// while the frame is in use.
//
// A frame may be signed for its place with a key: [Keys]. Decode does not check the signature, Verify does.
//
// # Wire format, versions 1 to 4
//
//	magic     4 bytes "PSTK"
//	version   1 byte: 1 plain, 2 signed, 3 with a tally, 4 with features; always the lowest that does. A frame with a
//	          higher one is ErrNewerVersion, whatever follows
//	flags     1 byte: 1 fence, 2 ended, 4 end phase, 8 messages wait, 16 ended as its inputs had, 32 signed (always with
//	          version 2, never with 1), 64 tally (always with version 3, never with 1 or 2), 128 body is compressed
//	body      plain, or one S2 block
//	signature flag 32: 4 bytes id of the key; 16 bytes of HMAC-SHA-256 over the length of the place (8 bytes, little endian),
//	          the place, and everything before the tag
//	checksum  4 bytes, little endian: CRC-32C of everything before it
//
// The body, in which number means an unsigned varint, signed a zigzag varint, and bytes a number followed by that many
// bytes:
//
//	features               with version 4: number, the sum of those that the frame uses (below); then what these begin with
//	owner, epoch           numbers
//	commit, steps          numbers
//	inputs                 number of them; each: bytes stream, number instance, number offset, number sequence;
//	                       with flag 8 then: number of messages that wait; if any: number reached - offset, and for each
//	                       but the first, which is offset, its distance to the one before;
//	                       with feature 32 then: its watermark
//	timers                 number of them; each: signed
//	cursor                 bytes
//	tally                  with flag 64: number dropped; number of reasons, in order; each: bytes reason, number count
//	notes                  with feature 64: number of them, in order; each: bytes name, 1 byte (0 set, 1 deleted), and if
//	                       set bytes value
//	state                  1 byte kind; whole: bytes; keyed: number of changes; each: bytes key; with feature 128: 1 byte
//	                       space; with feature 256: number of timers, in order, each: bytes timer, signed difference of
//	                       its time to the one before in the frame (the first: to 0); 1 byte (0 set, 1 deleted), and if
//	                       set bytes value
//	sections               number of them; each: bytes branch, number partition, number base, number count, bytes messages
//
// The features, and what they begin with, in this order:
//
//	1 kind                 1 byte: 2 seal, 3 release, 4 retired, 5 claim; a fence is a flag. A seal and a claim have nothing
//	                       that belongs to a commit, a seal has feature 2 and no notes, a claim has no feature 2
//	2 claim                number of its sequence; of a seal then: number of the sequence that its writer had seen
//	4 run, 8 layout        a number each
//	16 watermark           1 byte (1 known, 2 idle), and if known signed time
//	32 of inputs           nothing; each input has a watermark, whose time is the difference to the one before in the frame
//	64 notes, 128 spaces,
//	256 timers of keys     nothing
//
// A frame uses each feature that it announces.
//
// A message is one flags byte (1: it has a key), the signed difference of its time to the one before (the first: to 0),
// bytes key if it has one, and bytes value.
//
// There is one way to write a plain frame, and no feature costs a byte where it is not used: varints are of minimal
// length and nothing follows the last section. A frame that breaks a rule is refused, never repaired.
package frame
