package faultpoint

import "slices"

// The points, in the order in which a message meets them; the last ones lie off its usual way.
const (
	AfterPeek        = "after-peek"        // messages are in memory, nothing is processed
	MidProcess       = "mid-process"       // part of a batch is processed, nothing is published
	BeforePublish    = "before-publish"    // the frame is encoded, not sent
	PublishSent      = "publish-sent"      // the frame is sent, the answer is not known
	AfterPublish     = "after-publish"     // the frame is durable, memory does not say so yet
	BeforeAck        = "before-ack"        // the commit is done, the inputs are not acked
	BeforeCheckpoint = "before-checkpoint" // the channel is ahead of the checkpoint
	AfterCheckpoint  = "after-checkpoint"  // the checkpoint is written, nothing is trimmed
	MidTrim          = "mid-trim"          // between the decision to trim and its completion
	MidRecovery      = "mid-recovery"      // a new owner has read the past and has not taken over
	AfterClaim       = "after-claim"       // the new owner is in the register, the old one can commit
	AfterSeal        = "after-seal"        // the old owner can commit no more, the new one has not read what it did
	AfterFence       = "after-fence"       // the old owner is fenced, the new one has not begun
	BeforeDivert     = "before-divert"     // a message has used up its attempts, its dead letter is not written
	MidDivert        = "mid-divert"        // the dead letter is written, its message is not committed
	ReplayFound      = "replay-found"      // the request for a replay is read, its message is not taken
	MidReplay        = "mid-replay"        // the dead letter is sent again, and still listed
	MidSettle        = "mid-settle"        // the dead letter that was sent again is deleted, the request is not
	AllStopped       = "all-stopped"       // every stage has ended or stopped, but Run has not returned

	// Of a change of the number of partitions.
	MoveNoted   = "move-noted"   // it is noted that the states are to move, and nothing has moved
	MidMove     = "mid-move"     // a new instance has its first frame
	MoveCopied  = "move-copied"  // the states are in the new instances too
	MidRetire   = "mid-retire"   // an instance that there was is retired
	MoveDecided = "move-decided" // the new instances count, and those that there were are still stored
	MidTidy     = "mid-tidy"     // one of those is deleted
)

var all = []string{
	AfterPeek, MidProcess, BeforePublish, PublishSent, AfterPublish, BeforeAck, BeforeCheckpoint, AfterCheckpoint,
	MidTrim, MidRecovery, AfterClaim, AfterSeal, AfterFence, BeforeDivert, MidDivert, ReplayFound, MidReplay, MidSettle, AllStopped,
	MoveNoted, MidMove, MoveCopied, MidRetire, MoveDecided, MidTidy,
}

// All returns the name of every point, in the order of a message's way. The caller owns the slice.
func All() []string { return slices.Clone(all) }
