package supervise

import "errors"

// ErrDone is for a child that has ended for good, whatever its policy says: it returns an error that wraps ErrDone. Its
// end is a normal one, also if it was told to stop, and neither its policy nor a sibling's failure starts it again.
var ErrDone = errors.New("done")

// isForGood says whether err is a child's last word, which a panic never is.
func isForGood(err error) bool {
	return errors.Is(err, ErrDone) && !isMarked[*PanicError](err) && !isMarked[*escalated](err)
}
