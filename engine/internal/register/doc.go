// Package register decides who owns an instance. It is a take-over that always wins: it competes with other take-overs
// and never with the commits of the owner before, however fast these follow each other.
//
// Beside the subject of its commits an instance has a second one in the same stream, its register. Commits never write
// there. A take-over has four steps:
//
//  1. Claim: append an entry to the register, if the newest one is still the one that was read. Of several claimants
//     one gets through. The others step back: [LostError].
//  2. Seal: append a seal to the subject of commits, if the claim is still the newest entry. What the owner before
//     sends expects its own last commit to be the last message, so nothing of it is stored behind the seal.
//  3. Read what stands before the seal. It is final.
//  4. Fence: append the first commit of the new owner, if the seal is still the last message.
//
// A seal is sent once for each claim. If its answer is lost and it is not there, it may still come, also after the
// fence: then it would close the subject for its own writer. So the claimant claims again, and the server refuses what
// still expects the claim before.
//
// Other clients may copy a seal, which the server stores while its claim is the newest. Such a copy ends no owner, and
// must not hide the frame before it: [Taken.Last].
//
// Every entry has an epoch above all before it. The entry of an owner has to outlive each trim of the stream. It holds
// the trim back where it stands, so an owner that wants to trim enters itself again first: [Refresh].
package register
