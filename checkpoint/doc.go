// Package checkpoint keeps the state of a pipeline's instances on disk, in
// Badger, as it was at a commit.
//
// A pipeline has one [Store], a directory that one process at a time may hold:
//
//	store, err := checkpoint.Open(checkpoint.Config{Dir: "data/state"})
//	defer store.Close()
//
// Every instance has its own corner of it, by name:
//
//	worker := store.Instance("worker.0")
//
// A checkpoint is a commit number, the stream sequence of that commit, and a
// record that the caller encodes as it likes. State that is kept by key lies
// beside it, one value a key. Both are written together, of any number of
// instances at once, with [Store.Write]:
//
//	err = store.Write([]checkpoint.Update{{
//		Instance:   worker,
//		Checkpoint: checkpoint.Checkpoint{Commit: 7, Sequence: 42, Record: record},
//		Keys:       map[string][]byte{"alice": newBalance, "bob": nil},
//	}})
//
// [Changes] is a compact form of many such keys, for Update.Changes. Where there are
// thousands, Write packs them into a journal, which is kept in memory besides: up to
// 128 MiB an instance, after which its keys are written one by one.
//
// After a start [Instance.Load] gives the last checkpoint back, [Instance.Key]
// the state of a key, and [Instance.Keys] all of them in order. Small facts that
// have to survive on their own, such as how often a message was tried, are notes:
// [Store.PutNote] and [Instance.PutNote].
//
// # What holds after a crash
//
// Keys become durable before the checkpoint that covers them. A crash in the
// middle of Write therefore leaves the old checkpoint with some keys newer than
// it, never a checkpoint with keys older than it. Replaying the commits after the
// checkpoint, each with whole new values of the keys it changed, makes the state
// right. Once Write or PutNote has returned, power loss cannot undo it.
//
// # What holds on a bad disk
//
// Every value carries a checksum over its key and its content, and Open reads
// every table file once and compares it with its checksums. Damage is reported as
// an error that wraps [ErrCorrupt] and names the remedy; it is never returned as
// state. What cannot be seen here is a tail of recent writes that is gone as a
// whole: the store then opens at an older checkpoint, so callers compare its
// commit number with the commits they know of.
//
// # Limits
//
// Names have 1 to 100 characters of A-Z a-z 0-9 _ . - ; keys are any bytes up to
// [MaxKey]; values and records go up to [MaxValue] and notes up to [MaxNote].
// Files are mapped into memory, so what the operating system counts as the
// process's memory includes pages of them that it can take back at any time.
//
// # On a full disk
//
// A full disk kills a process that writes to a mapped file. So logs get their space
// before they are used (on Linux, and where the file system can), some is held in
// reserve for the table that [Store.Close] writes, and what is written when less than
// 64 MiB are free, or a thirty-second of a small disk, fails with [ErrNoSpace] before it
// begins. What is left is a table that Badger merges in the background just when
// another program fills those last 64 MiB.
package checkpoint
