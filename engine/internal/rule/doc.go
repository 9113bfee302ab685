// Package rule lists the rules of the commit protocol that a test can remove, to prove that the checks for lost,
// doubled or reordered messages notice it.
//
// Code that enforces one of these rules asks for it first:
//
//	if rule.PositionCheck && offset < position {
//		continue // seen before
//	}
//
// In a normal build each rule is the constant true, so the question costs nothing and cannot be answered otherwise.
// Only a build with the tag penstock_mutation reads the environment variable PENSTOCK_WITHOUT, once, at the start:
//
//	PENSTOCK_WITHOUT=position-check,fencing
//
// The rules:
//
//   - PositionCheck (position-check): a reader skips what lies below its committed position. Without it a message that
//     is delivered again takes effect again.
//   - BaseOffsetCheck (base-offset-check): a section that starts above the expected offset is a gap and stops the
//     reader. Without it a lost piece of a channel goes unnoticed.
//   - Fencing (fencing): a commit carries the sequence it expects to be the last, and a new owner begins with a fence
//     frame. Without it an owner that was replaced still commits.
//   - TrimBound (trim-bound): a channel is trimmed only up to what every reader and the writer's own synced checkpoint
//     cover. Without it a slow reader, or a recovery, finds its messages gone.
//   - ForeignCheck (foreign-check): a message that was not published as a commit is set aside. Without it any client's
//     message on a channel's subject counts as a commit, or as a damaged one.
//   - Claiming (claiming): a new owner enters itself in the register before it does anything else. Without it two new
//     owners do not know of each other.
//   - SealExpectation (seal-expectation): a seal is stored only while the claim of its writer is the newest. Without it
//     one that comes late closes the subject for an owner that came after.
//   - SealBeforeRead (seal-before-read): a new owner reads what the owner before it has committed behind its seal, when
//     nothing can be added. Without it commits that come between are not seen.
//   - DrainBeforeMove (drain-before-move): the states of a stage move to other partitions only when all that was
//     written for those before is taken. Without it these messages are lost.
package rule
