package dlq

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/jscode"
)

// FullError is an [ErrFull] with the limit that is reached.
type FullError struct {
	Because string // which limit of the server it is, and, where that is known, what lifts it
	cause   error
}

// newFullError takes what lifts the limit from an error that knows it.
func newFullError(refusal *jetstream.APIError, cause error) *FullError {
	e := &FullError{Because: refusal.Description, cause: cause}
	if remedy := remedyOf(cause); remedy != "" {
		e.Because += ": " + remedy
	}
	return e
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%v: replay or discard some, or raise the limits of the queue, or those of the account: %v", ErrFull, e.cause)
}

// Unwrap returns ErrFull and the answer of the server.
func (e *FullError) Unwrap() []error { return []error{ErrFull, e.cause} }

// remedyOf is what an error knows to lift the limit, as those of the engine's server do; "" if it knows none.
func remedyOf(err error) string {
	if limit := interface{ Remedy() string }(nil); errors.As(err, &limit) {
		return limit.Remedy()
	}
	return ""
}

// isFull tells the limits from other reasons why a message is not stored, some of which pass.
func isFull(e *jetstream.APIError) bool {
	return isNoRoom(e) || e.ErrorCode == jscode.StoreFailed &&
		(strings.Contains(e.Description, "maximum messages exceeded") || strings.Contains(e.Description, "maximum bytes exceeded"))
}

// isNoRoom says whether storage is used up, or a stream cannot be made because its MaxBytes cannot be reserved.
func isNoRoom(e *jetstream.APIError) bool {
	return slices.Contains([]jetstream.ErrorCode{jscode.AccountStorage, jscode.ServerStorage, jscode.Reserved}, e.ErrorCode)
}

// isFinal says whether trying again is of no use. Whatever is not known to be so is tried again: a dead letter given up
// too early stops the pipeline, one tried too long only waits.
func isFinal(err error) bool {
	final := []error{ErrFull, ErrTooLarge, ErrConflict, ErrDamaged, ErrNewerVersion, ErrInvalid, ErrPending, ErrStale, ErrForeign,
		nats.ErrConnectionClosed, nats.ErrConnectionDraining}
	if slices.ContainsFunc(final, func(f error) bool { return errors.Is(err, f) }) {
		return true
	}
	if verdict := interface{ Final() bool }(nil); errors.As(err, &verdict) { // a missing right
		return verdict.Final()
	}
	var refusal *jetstream.APIError
	return errors.As(err, &refusal) && refusal.Code == 400 && !isWrongSequence(refusal)
}

func isWrongSequence(e *jetstream.APIError) bool {
	return e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}
