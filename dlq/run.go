package dlq

import "context"

// Run is what a queue asks about the run that its letters are of. Its errors say what is wrong and what mends it, and
// concern one letter only; one that wraps nothing of the kind stops what is done. It is safe for concurrent use.
type Run interface {
	// CheckLetter says why the run cannot have had this letter, such as one of a message that was never sent.
	CheckLetter(ctx context.Context, l Letter) error
	// CheckReplay says why the instance of the stage cannot take the message of a letter.
	CheckReplay(ctx context.Context, stage string, instance int, l Letter) error
	// Address is the number of the instance that takes what is meant for one of the stage. It is another one where the
	// number of partitions was changed.
	Address(ctx context.Context, stage string, instance int) (int, error)
	// CheckValue says why the stage cannot take the value in place of the letter's.
	CheckValue(stage string, l Letter, value []byte) error
}

// Bind lets the queue refuse what the run cannot have had, or cannot take. Without a run it takes everything. It must
// be called before the queue is used.
func (q *Queue) Bind(run Run) { q.run = run }
