// Package inflight records what every instance is about to do, so that it is known even if the process dies of it.
//
// A message can end the whole process: os.Exit, a fatal error, a panic in a goroutine of the user's code, running out
// of memory. Then it is too late to record anything. So it is recorded before: a small file in the data directory is
// mapped into memory, and each instance writes there, with a few plain stores, what it gives to the user's function.
// The kernel keeps these pages however the process ends, and the next process reads from them what was in progress.
//
// [Open] returns what the previous process left, and takes the file for this one:
//
//	f, last, err := inflight.Open(filepath.Join(dir, "in-flight"), []string{"worker.0", "worker.1"})
//	if err != nil {
//		return err
//	}
//	if !last.Clean {
//		suspect(last.Calls) // by name of the instance
//	}
//
// Once Open has returned, what was left is gone. If a second death must not lose it, call [Read] first, make the result
// durable, and then call Open.
//
// Each instance has a [Slot], which only its goroutine writes:
//
//	s := f.Slot("worker.0")
//	s.Enter(inflight.Message, input, offset, 1)
//	err := function(message)
//	s.Leave()
//
// If the slot is requested again, for a new life of the instance, the earlier handle has no effect any more, whatever
// an abandoned goroutine does with it. A nil *File returns a nil *Slot, which does nothing.
//
// [File.Close] marks the orderly end. Without it the next Open says that the end was not clean, with the calls that
// were in progress, or with none.
//
// # What can be relied on
//
// After the death of the process, by whatever means, a call is reported exactly if Enter had returned and Leave had not
// begun; in between the two ends of Enter, or of Leave, it is reported whole or not at all. Each slot carries a
// checksum over its words, the random number of this opening and the place of the slot. So half a call, a call of an
// earlier process and garbage are recognised and ignored.
//
// After a crash of the machine only what the kernel had written back is there: calls may be missing, and others may
// have ended long before. [Last.OtherBoot] says so where the system has a name for its boot (Linux and macOS). No
// message is to blame then. If you use the calls all the same, compare them with the committed positions.
//
// The pages are written with real zeros and synced before they are mapped: a hole in a file on a full disk would
// otherwise kill the process that stores to it. For the same reason the file must not be truncated while it is in use.
//
// Where no mapping is known to agree with file reads, a slot is written with one system call for each Enter and Leave.
// The tag penstock_writeat selects that everywhere, for tests.
//
// # The file, version 1
//
// All numbers of the head are little endian.
//
//	0     magic        8 bytes "PSTKINFL"
//	8     version      4 bytes
//	12    instances    4 bytes, their number
//	16    names        4 bytes, length of the names in bytes
//	20    checksum     4 bytes, CRC-32C of the 64 bytes of the head, without this field, and of the names
//	24    generation   8 bytes, random for each opening
//	32    boot         8 bytes, a hash of the boot's name, 0 if unknown
//	64    state        8 bytes: 0 in use, or the mark of an orderly end
//	128   names        each 1 byte length and that many bytes
//	4096n slots        128 bytes each, on the next multiple of 4096: five words in the machine's byte order (kind and
//	                   input, offset, count, time, checksum), the rest is zero
package inflight
