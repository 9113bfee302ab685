package dlqcmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
	"penstock/engine/redact"
	"penstock/internal/counted"
	"penstock/internal/userfile"
)

// dlqReplayCmd asks for replays.
type dlqReplayCmd struct {
	Which    targetFlags `embed:""`
	DryRun   bool        `group:"how" help:"Only list what would be replayed, in that order."`
	Rate     perSecond   `placeholder:"N" group:"how" help:"At most this many per second. Default: as fast as possible."`
	To       string      `placeholder:"STAGE" group:"how" help:"Send them to this stage instead of the one that failed. It must be able to decode their values."`
	Edit     bool        `group:"how" help:"Change the value of one letter in $$VISUAL or $$EDITOR first: JSON laid out, numbers and text as they are."`
	Value    flags.Key   `placeholder:"TEXT|@FILE" group:"how" help:"Replay one letter with this value: JSON, a number or text, as its codec needs."`
	Original bool        `group:"how" help:"Replay with the values that the messages had before --edit or --value replaced them."`
	Force    bool        `group:"how" help:"Also those that have already failed in 3 rounds."`
}

// Run asks for them.
func (c *dlqReplayCmd) Run(q *Cmd, a *app.Invocation) error {
	filter, err := c.Which.filter()
	if err != nil {
		return err
	}
	if err := c.check(a, filter); err != nil {
		return err
	}
	request := letters.Request{Filter: filter, Verb: letters.Verb{To: c.To, Pause: c.Rate.pause(), Original: c.Original}}
	if c.Force {
		request.Rounds = -1
	}
	return q.do(a, "replay", func(ctx context.Context, d *dlqAccess) error {
		if c.Edit {
			return c.edited(ctx, d, request)
		}
		if c.DryRun {
			return d.read(ctx, func(l letterStore) error { return c.dryRun(ctx, a, l, request) })
		}
		return d.with(ctx, func(l letterStore) error {
			if c.Value.Text != nil {
				if err := c.replace(ctx, a, l, &request); err != nil {
					return err
				}
			}
			return c.replay(ctx, a, l, request)
		})
	})
}

func (c *dlqReplayCmd) check(a *app.Invocation, f dlq.Filter) error {
	switch {
	case c.Original && (c.Edit || c.Value.Text != nil):
		return flags.Usage("--original is given with --edit or --value: leave one out")
	case c.Edit && c.Value.Text != nil:
		return flags.Usage("--edit and --value are both given: leave one out")
	case (c.Edit || c.Value.Text != nil) && len(f.IDs) != 1:
		return flags.Usage("--edit and --value are for one letter: give its ID, and no other")
	case (c.Edit || c.Value.Text != nil) && strings.HasPrefix(f.IDs[0], "unreadable:"):
		return flags.Usage("--edit and --value work only on dead letters, and %s is not one: see it with %s dlq show, and discard it", f.IDs[0], a.Name())
	case c.DryRun && (c.Edit || c.Value.Text != nil):
		return flags.Usage("--dry-run is given with --edit or --value: leave one out")
	}
	return nil
}

// replace puts the value of --value into the request.
func (c *dlqReplayCmd) replace(ctx context.Context, a *app.Invocation, l letterStore, r *letters.Request) error {
	letter, err := find(ctx, a, l, r.IDs[0])
	if err != nil {
		return err
	}
	text := *c.Value.Text
	if name, isFile := strings.CutPrefix(text, "@"); isFile {
		data, err := userfile.ReadFile(kong.ExpandPath(name))
		if err != nil {
			return fmt.Errorf("--value: %w", err)
		}
		text = string(data)
		if old, readable := valueText(letter.Codec, letter.Value); readable && !strings.HasSuffix(old, "\n") {
			text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r") // of an editor
		}
	}
	value, err := textValue(letter.Codec, text, letter.Value)
	if err != nil {
		return fmt.Errorf("--value: %w (its codec is %s)", err, letter.Codec)
	}
	r.Value, r.Sequence = &value, letter.Sequence
	return nil
}

// dryRun lists what would be replayed.
func (c *dlqReplayCmd) dryRun(ctx context.Context, a *app.Invocation, l letterStore, r letters.Request) error {
	if err := checkTarget(ctx, l, r.To); err != nil {
		return err
	}
	show, flush := lister(a, false)
	s := letters.Select(r.Filter, letters.ByOrigin)
	s.WithoutValues = true
	n, refused, unreadable, missing := 0, 0, 0, newMissing(r.IDs)
	err := l.Each(ctx, s, func(letter dlq.Letter) error {
		missing.seen(letter.ID())
		if letter.Unreadable {
			unreadable++
		} else if r.Rounds >= 0 && letter.Round >= dlq.DefaultMaxRounds {
			refused++
		} else {
			n++
		}
		return show(letter)
	})
	if err := errors.Join(err, flush()); err != nil {
		return err
	}
	if n+refused+unreadable == 0 && len(r.IDs) == 0 {
		if err := none(ctx, a, l, r.Filter); err != nil {
			return err
		}
	}
	text := "would request " + counted.Things(n, "replay")
	if refused > 0 {
		text += fmt.Sprintf("; only with --force: %s that failed in %d rounds", counted.Things(refused, "letter"), dlq.DefaultMaxRounds)
	}
	if unreadable > 0 {
		text += fmt.Sprintf("; %d cannot be read and can only be discarded", unreadable)
	}
	fmt.Fprintln(a.Stderr, text)
	return missing.err(a, l, r.Filter)
}

// replay asks for replays and tells what came of it.
func (c *dlqReplayCmd) replay(ctx context.Context, a *app.Invocation, l letterStore, r letters.Request) error {
	if err := checkTarget(ctx, l, r.To); err != nil {
		return err
	}
	sum := &replaySum{Invocation: a, missing: newMissing(r.IDs)}
	err := l.Replay(ctx, r, sum.add)
	if err == nil && sum.total() == 0 && len(r.IDs) == 0 {
		err = none(ctx, a, l, r.Filter)
	}
	if err != nil {
		if sum.done > 0 {
			err = fmt.Errorf("%w (%s requested before that; the same command again requests the rest)", err, counted.Things(sum.done, "replay"))
		}
		return err
	}
	fmt.Fprintln(a.Stdout, sum.text(l))
	if sum.waits > 0 && r.Value != nil {
		return errors.New("a replay of this letter is already pending with its old value: the new value is not used")
	}
	if r.Sequence != 0 && sum.gone > 0 {
		return errors.New("the letter has changed since it was read: show it again")
	}
	if err := sum.missing.err(a, l, r.Filter); err != nil {
		return err
	}
	if sum.refused > 0 {
		return fmt.Errorf("%s refused", counted.Things(sum.refused, "dead letter"))
	}
	return nil
}

// replaySum counts what came of replays.
type replaySum struct {
	*app.Invocation
	missing                    *missing
	done, waits, gone, refused int
}

func (s *replaySum) total() int { return s.done + s.waits + s.gone + s.refused }

func (s *replaySum) add(o letters.Outcome) error {
	const told = 10
	s.missing.seen(o.ID)
	switch o.Fate {
	case letters.Done:
		s.done++
	case letters.Waits:
		s.waits++
	case letters.Gone:
		s.gone++
	default:
		if s.refused++; s.refused <= told {
			text := strings.ReplaceAll(o.Error, "raise the limit", "use --force")
			fmt.Fprintln(s.Stderr, s.Name()+": "+render.Escape(redact.Text(text)))
		}
	}
	return nil
}

func (s *replaySum) text(l letterStore) string {
	text := "requested " + counted.Things(s.done, "replay")
	if s.waits > 0 {
		text += fmt.Sprintf(", %s", waiting(s.waits))
	}
	if s.gone > 0 {
		text += fmt.Sprintf(", %d no longer there", s.gone)
	}
	if s.refused > 0 {
		text += fmt.Sprintf(", %d refused", s.refused)
	}
	them := "them"
	switch s.done + s.waits {
	case 0:
		return text
	case 1:
		them = "it"
	}
	pipeline, state := l.about()
	switch state {
	case isRunning:
		return text + ": " + pipeline + " is running and handles " + them + " now"
	case isStopped:
		return text + ": the next run of " + pipeline + " handles " + them
	}
	return text + ": " + pipeline + " handles " + them + " when it runs"
}

func waiting(n int) string {
	if n == 1 {
		return "1 already pending"
	}
	return counted.Number(uint64(n)) + " already pending"
}

// perSecond is a flag above 0.
type perSecond float64

var _ kong.MapperValue = (*perSecond)(nil)

// Decode reads the flag.
func (p *perSecond) Decode(ctx *kong.DecodeContext) error {
	text, err := flags.Word(ctx, "number a second")
	if err != nil {
		return err
	}
	n, err := parsePerSecond(text)
	*p = perSecond(n)
	return err
}

func (p perSecond) pause() time.Duration {
	if p <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / float64(p))
}

func parsePerSecond(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 1e-6 && n <= 1e6) {
		return 0, fmt.Errorf("%q is not a number between 0.000001 and 1000000: give how many a second, such as 10 or 0.5", text)
	}
	return n, nil
}
