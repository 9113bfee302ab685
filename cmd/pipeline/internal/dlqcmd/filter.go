package dlqcmd

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/dlq"
)

// filterFlags select letters: those to which all that is given applies.
type filterFlags struct {
	Stage  string    `placeholder:"STAGE" group:"which" help:"Those of this stage."`
	Reason reason    `placeholder:"REASON" group:"which" help:"Those with this reason: panic, killed, error, deadline, rejected, too-large or held; or unreadable: messages in the stream that cannot be read as dead letters."`
	Since  moment    `placeholder:"TIME" group:"which" help:"Those written at this time or later: a time such as 2026-01-31T15:04:05Z, 2026-01-31 15:04 or 2026-01-31 (local), or how long ago, such as 90s, 2h or 7d."`
	Until  moment    `placeholder:"TIME" group:"which" help:"Those written before this time, in the same forms."`
	Key    flags.Key `placeholder:"KEY" group:"which" help:"Those with exactly this key."`
	Error  string    `placeholder:"TEXT" group:"which" help:"Those with this text in their error or panic; upper and lower case are the same."`
}

func (f filterFlags) filter() dlq.Filter {
	filter := dlq.Filter{
		Stage:  f.Stage,
		Reason: dlq.Reason(f.Reason),
		Since:  time.Time(f.Since),
		Until:  time.Time(f.Until),
		Error:  f.Error,

		Unreadable: true,
	}
	if f.Key.Text != nil {
		filter.Key = *f.Key.Text
	}
	return filter
}

// targetFlags name the letters that something is done to.
type targetFlags struct {
	IDs []letterID  `arg:"" optional:"" name:"ID" help:"The letters, as ${program} dlq list shows them: worker.0:generator.0:33."`
	All bool        `group:"which" help:"All of them."`
	By  filterFlags `embed:""`
}

// filter refuses a command line that names nothing: it must not mean all.
func (f targetFlags) filter() (dlq.Filter, error) {
	filtered := f.By != filterFlags{}
	switch {
	case f.All && len(f.IDs) > 0:
		return dlq.Filter{}, flags.Usage("--all is given together with IDs: leave one out")
	case f.All && filtered:
		return dlq.Filter{}, flags.Usage("--all is given together with a filter such as --stage: leave one out")
	case !f.All && !filtered && len(f.IDs) == 0:
		return dlq.Filter{}, flags.Usage("no dead letters are selected: give IDs, a filter such as --stage or --error, or --all")
	}
	filter := f.By.filter()
	for _, id := range f.IDs {
		filter.IDs = append(filter.IDs, string(id))
	}
	return filter, nil
}

// letterID is an ID of a letter.
type letterID string

var _ kong.MapperValue = (*letterID)(nil)

// Decode reads the argument.
func (i *letterID) Decode(ctx *kong.DecodeContext) error {
	text, err := flags.Word(ctx, "ID")
	if err == nil && !looksLikeID.MatchString(text) {
		err = fmt.Errorf("%q is not the ID of a dead letter, such as worker.0:generator.0:33", text)
	}
	*i = letterID(text)
	return err
}

var looksLikeID = regexp.MustCompile(`^([\w-]+\.\d+:[\w-]+(/[\w-]+)?\.\d+:\d+|unreadable:\d+)$`)

// reason is one of the reasons of package dlq.
type reason dlq.Reason

var _ kong.MapperValue = (*reason)(nil)

var reasons = []dlq.Reason{dlq.ReasonPanic, dlq.ReasonKilled, dlq.ReasonError, dlq.ReasonDeadline, dlq.ReasonRejected, dlq.ReasonTooLarge, dlq.ReasonHeld,
	dlq.ReasonUnreadable}

// Decode reads the flag.
func (r *reason) Decode(ctx *kong.DecodeContext) error {
	text, err := flags.Word(ctx, "reason")
	if err != nil {
		return err
	}
	var names []string
	for _, known := range reasons {
		if text == string(known) {
			*r = reason(known)
			return nil
		}
		names = append(names, string(known))
	}
	return fmt.Errorf("%q is not a reason: give one of %s", text, strings.Join(names, ", "))
}

// moment is a time, given as such or as how long ago.
type moment time.Time

var _ kong.MapperValue = (*moment)(nil)

// Decode reads the flag.
func (m *moment) Decode(ctx *kong.DecodeContext) error {
	text, err := flags.Word(ctx, "time")
	if err != nil {
		return err
	}
	at, err := parseMoment(text, time.Now())
	*m = moment(at)
	return err
}

func parseMoment(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	ago, err := time.ParseDuration(text)
	if days, found := strings.CutSuffix(text, "d"); found {
		var n float64
		if n, err = strconv.ParseFloat(days, 64); !(n*24 < math.MaxInt64/float64(time.Hour)) {
			return time.Time{}, fmt.Errorf("%q is too long ago", text)
		}
		ago = time.Duration(n * 24 * float64(time.Hour))
	}
	if err != nil || ago < 0 {
		return time.Time{}, fmt.Errorf("%q is not a time: give one such as 2026-01-31T15:04:05Z, 2026-01-31 15:04 or 2026-01-31, or how long ago, such as 90s, 2h or 7d", text)
	}
	return now.Add(-ago), nil
}
