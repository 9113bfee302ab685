package broker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine/remedy"
	"penstock/internal/jscode"
)

const storageFullRemedies = "or remove streams and messages that are not needed; the pipeline then resumes by itself"

// limits has what the server leaves out of its refusals: the setting that is meant, and what to do.
var limits = map[jetstream.ErrorCode]string{
	jscode.AccountStorage:                    "the storage of the account is used up (max_file in the jetstream limits of the account): raise it, " + storageFullRemedies,
	jscode.ServerStorage:                     "the storage of the server is used up (max_file_store in its jetstream settings): raise it, " + storageFullRemedies,
	jetstream.JSErrCodeMaximumConsumersLimit: "the account may have no more consumers of this stream (max_consumers), and a pipeline needs one for each stage that reads it, and a few temporary ones: raise it, or delete consumers that are not needed",
	jscode.MaxStreams:                        "the account may have no more streams (max_streams), and a pipeline needs one for each stage and two for dead letters: raise it, or delete streams that are not needed",
	jscode.Memory:                            "the memory for JetStream is used up (max_memory_store of the server, or max_memory of the account): raise it",
	jscode.Reserved:                          "there is less storage than the stream reserves (max_file_store of the server, by default a part of its free disk, or max_file of the account): free disk space or raise it, or give the stages less capacity and the dead letters fewer bytes (" + remedy.DeadLetterBytes.String() + ")",
	jscode.LimitDemanded:                     "the account demands a limit for each stream (max_bytes_required): limit the bytes of the dead letters, or take the demand back",
	jscode.StreamTooLarge:                    "the stream reserves more than the account allows for one (disk_max_stream_bytes): raise it, or give the stages less capacity and the dead letters fewer bytes",
}

// limitError is a refusal of the server with what it leaves out.
type limitError struct {
	refusal error
	what    string
}

func (e *limitError) Error() string { return e.refusal.Error() + ": " + e.what }

func (e *limitError) Unwrap() error { return e.refusal }

// Remedies are what the text may name.
func (e *limitError) Remedies() []remedy.Remedy { return []remedy.Remedy{remedy.DeadLetterBytes} }

// Remedy says which limit was met and what lifts it.
func (e *limitError) Remedy() string { return e.what }

// ExplainLimit adds to a refusal of the JetStream API which limit was met and what lifts it. Other errors stay as they
// are.
func ExplainLimit(err error) error {
	var refusal *jetstream.APIError
	if !errors.As(err, &refusal) {
		return err
	}
	if text := limits[refusal.ErrorCode]; text != "" {
		return &limitError{err, text}
	}
	if refusal.ErrorCode == jscode.StoreFailed {
		if limit := streamLimit(refusal.Description); limit != "" {
			return &limitError{err, fmt.Sprintf("the stream has reached its %s: raise it, %s", limit, storageFullRemedies)}
		}
	}
	return err
}

// streamLimit names the limit of a stream that a text of the server means: it has one code for all.
func streamLimit(text string) string {
	switch {
	case strings.Contains(text, "maximum bytes exceeded"):
		return "max_bytes"
	case strings.Contains(text, "maximum messages exceeded"):
		return "max_msgs"
	case strings.Contains(text, "maximum messages per subject exceeded"):
		return "max_msgs_per_subject"
	}
	return ""
}
