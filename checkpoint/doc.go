// Package checkpoint keeps the state of a pipeline's instances on disk, in Badger, as it was at a commit.
//
// A pipeline has one [Store], a directory that one process at a time may hold:
//
//	store, err := checkpoint.Open(checkpoint.Config{Dir: "data/state"})
//	defer store.Close()
//
// Every instance has its own part of it, by name:
//
//	worker := store.Instance("worker.0")
//
// A checkpoint is a commit number, the stream sequence of that commit, and a record that the caller encodes as it
// likes. State per key is stored beside it, one value per key. [Store.Write] writes both together, for any number of
// instances at once:
//
//	err = store.Write([]checkpoint.Update{{
//		Instance:   worker,
//		Checkpoint: checkpoint.Checkpoint{Commit: 7, Sequence: 42, Record: record},
//		Keys:       map[string][]byte{"alice": newBalance, "bob": nil},
//	}})
//
// [Changes] is a compact form of many such keys, for Update.Changes. If there are thousands, Write packs them into a
// journal, which is also kept in memory: up to 128 MiB per instance. Beyond that its keys are written one by one.
//
// After a start [Instance.Load] returns the last checkpoint, [Instance.Key] the state of a key, and [Instance.Keys] all
// keys in order. Small facts that must survive on their own, such as how often a message was tried, are notes:
// [Store.PutNote] and [Instance.PutNote].
//
// # What holds after a crash
//
// Keys become durable before the checkpoint that covers them. So a crash in the middle of Write leaves the old
// checkpoint with some keys newer than it, never a checkpoint with keys older than it. Applying the commits after the
// checkpoint again, each with whole new values of the keys that it changed, makes the state right. Once Write or
// PutNote has returned, a power cut cannot undo it.
//
// # What holds on a bad disk
//
// Every value has a checksum over its key and its content. Open reads every table file once and compares it with its
// checksums. Damage is reported as an error that wraps [ErrCorrupt] and names the remedy. It is never returned as
// state. One thing cannot be seen here: a tail of recent writes that is gone as a whole. Then the store opens at an
// older checkpoint, so callers compare its commit number with the commits that they know of.
//
// # Limits
//
// Names have 1 to 100 characters of A-Z a-z 0-9 _ . - ; keys are any bytes up to [MaxKey]. Values and records go up to
// [MaxValue], and notes up to [MaxNote]. Files are mapped into memory, so what the operating system counts as the
// process's memory includes pages of them that it can take back at any time.
//
// # On a full disk
//
// A full disk kills a process that writes to a mapped file. So space for logs is reserved before they are used (on
// Linux, and where the file system can), and some is held in reserve for the table that [Store.Close] writes. If less
// than 64 MiB are free, or a thirty-second of a small disk, a write fails with [ErrNoSpace] before it begins. One case
// remains: Badger merges a table in the background just when another program fills those last 64 MiB. On a disk of less
// than 96 MiB a quarter is left free, and what does not fit beside that is not reserved.
package checkpoint
