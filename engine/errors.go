package engine

import (
	"penstock/engine/channel"
	"penstock/engine/internal/task"
)

// ErrFrameKey is wrapped when a channel's frames are authenticated with a key that Config.FrameKeys does not have.
// Nothing is damaged, and nothing was changed.
var ErrFrameKey = channel.ErrKey

// What ends a stage or a run, for errors.As.
type (
	// AtLimitError says that a message has failed at every attempt, or that a source has a value that cannot be sent, and
	// that the stage stops instead of losing sight of it (see [AtLimit]). The next start tries it again.
	AtLimitError = task.AtLimitError
	// TooLargeError says that a stage emitted more at once than the server takes in one message.
	TooLargeError = task.TooLargeError
	// StateTooLargeError says that the state of a stage has grown so large that one commit does not hold it. The stage
	// keeps its last commit and all messages after it.
	StateTooLargeError = task.StateTooLargeError
	// DeadlineError says that a function of a stage was in one call for longer than its Deadline.
	DeadlineError = task.DeadlineError
	// GivenUpError says that stages were given up, by their restart policy or their recovery function, and had not ended.
	// They keep their state and messages, and the next run resumes them.
	GivenUpError = task.GivenUpError
	// KilledError says that the process died while a stage had this message, and no other was in any stage's code.
	KilledError = task.KilledError
	// FencedError says that another process owns the stage. The one that gets it has committed nothing since.
	FencedError = task.FencedError
)
