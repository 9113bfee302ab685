package dlq

import (
	"errors"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Codes of the server that the client library has no names for.
const (
	codeAccountResources jetstream.ErrorCode = 10002 // a limit of the account
	codeResources        jetstream.ErrorCode = 10023 // the server's storage
	codeStorageResources jetstream.ErrorCode = 10047 // what is left to be reserved
	codeStoreFailed      jetstream.ErrorCode = 10077 // among others: a limit of the stream
)

// FullBecause is what the server says about an ErrFull: which limit is reached.
func FullBecause(err error) string {
	var refusal *jetstream.APIError
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	if _, remedy, explained := strings.Cut(err.Error(), refusal.Error()+": "); explained {
		return refusal.Description + ": " + remedy
	}
	return refusal.Description
}

// isFull tells the limits from other reasons why a message is not stored, some of which pass.
func isFull(e *jetstream.APIError) bool {
	switch e.ErrorCode {
	case codeAccountResources, codeResources, codeStorageResources:
		return true
	case codeStoreFailed:
		return strings.Contains(e.Description, "maximum messages exceeded") ||
			strings.Contains(e.Description, "maximum bytes exceeded")
	}
	return false
}

// isNoRoom says whether a stream cannot be made because its MaxBytes cannot be reserved.
func isNoRoom(e *jetstream.APIError) bool {
	return slices.Contains([]jetstream.ErrorCode{codeAccountResources, codeResources, codeStorageResources}, e.ErrorCode)
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
