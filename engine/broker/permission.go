package broker

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/nats-io/nats.go"

	"penstock/engine/remedy"
)

// Action is what a user of the server needs a right for.
type Action string

// The actions that a server permits or refuses.
const (
	Publish   Action = "publish to"
	Subscribe Action = "subscribe to"
)

// ErrPermission is wrapped by every [PermissionError].
var ErrPermission = errors.New("missing permission on the NATS server")

// PermissionError says which right the server refused. It wraps [ErrPermission].
type PermissionError struct {
	User    string // who is logged in, "" when the server was not given a name
	Action  Action
	Subject string

	early bool // the start is not over
}

// Final tells whether it is of no use to wait: the right was missing from the start. One that goes missing later was
// taken away, and may be given back.
func (e *PermissionError) Final() bool { return e.early }

func (e *PermissionError) Error() string {
	user := "this user"
	if e.User != "" {
		user = "user " + e.User
	}
	return fmt.Sprintf("%v: %s may not %s %s: grant it (%v lists everything that the pipeline needs)%s",
		ErrPermission, user, e.Action, e.Subject, remedy.Rights, ownPrefix(e.lacksAnswers()))
}

func (e *PermissionError) lacksAnswers() bool {
	return e.Action == Subscribe && strings.HasPrefix(e.Subject, nats.InboxPrefix)
}

// Unwrap returns ErrPermission.
func (e *PermissionError) Unwrap() error { return ErrPermission }

// Remedies is what tells the rights, and the prefix of answers where that is the one that lacks.
func (e *PermissionError) Remedies() []remedy.Remedy { return rightsRemedies(e.lacksAnswers()) }

// The server says no more of a violation than a text.
var violation = regexp.MustCompile(`(?i)permissions violation for (publish|subscription) to "([^"]+)"`)

// violationOf reads what nats.go reports, and returns nil for anything else.
func violationOf(err error, user string) *PermissionError {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	found := violation.FindStringSubmatch(err.Error())
	if found == nil {
		return nil
	}
	action := Publish
	if strings.EqualFold(found[1], "subscription") {
		action = Subscribe
	}
	return &PermissionError{User: user, Action: action, Subject: found[2]}
}

// key is the same for the same right. Inboxes and acknowledgements differ each time.
func (e *PermissionError) key() string {
	tokens := strings.SplitN(e.Subject, ".", 5)
	return string(e.Action) + " " + strings.Join(tokens[:min(len(tokens), 4)], ".")
}
