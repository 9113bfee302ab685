package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// groups are the headings of the flags in the help.
var groups = []kong.Group{
	{Key: "where", Title: "Where"},
	{Key: "nats", Title: "NATS server (default: one inside the process)"},
	{Key: "how", Title: "How"},
	{Key: "telemetry", Title: "Telemetry"},
	{Key: "guard", Title: "Guard"},
	{Key: "which", Title: "Which dead letters"},
}

// duration is a flag above 0 that also takes a whole number of milliseconds.
type duration time.Duration

var _ kong.MapperValue = (*duration)(nil)

// Decode reads the flag.
func (d *duration) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "duration")
	if err != nil {
		return err
	}
	value, err := parseDuration(text)
	*d = duration(value)
	return err
}

func parseDuration(text string) (time.Duration, error) {
	value, err := time.ParseDuration(text)
	if n, wrong := strconv.ParseInt(text, 10, 64); wrong == nil {
		if value, err = time.Duration(n)*time.Millisecond, nil; n > math.MaxInt64/int64(time.Millisecond) {
			return 0, fmt.Errorf("%q is too long: use less than 292 years", text)
		}
		if n < 0 {
			value = -1
		}
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: give a number with a unit, such as 500ms, 1.5s or 2m, or a whole number of milliseconds", text)
	}
	if value <= 0 {
		return 0, fmt.Errorf("%q is not above 0: give a duration such as 500ms or 1s, or a whole number of milliseconds", text)
	}
	return value, nil
}

// syncing is how often the embedded server syncs: "always", or an interval.
type syncing time.Duration

var _ kong.MapperValue = (*syncing)(nil)

// Decode reads the flag.
func (s *syncing) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "always|duration")
	if err != nil {
		return err
	}
	if text == "always" {
		*s = 0
		return nil
	}
	value, err := parseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is neither \"always\" nor an interval above 0, such as 1s", text)
	}
	*s = syncing(value)
	return nil
}

// count is a flag from 1 up.
type count uint64

var _ kong.MapperValue = (*count)(nil)

// Decode reads the flag.
func (c *count) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "number")
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is not a whole number of 1 or more", text)
	}
	*c = count(n)
	return nil
}

// extensions are the ends of file names.
type extensions []string

var _ kong.MapperValue = (*extensions)(nil)

// Decode reads the flag, which may come more than once.
func (e *extensions) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, ".ext,…")
	if err != nil {
		return err
	}
	for one := range strings.SplitSeq(text, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), ".")
		if one == "" || strings.ContainsAny(one, `/\`) {
			return fmt.Errorf("%q has an empty extension or one with a slash: give a list such as .go,.txt", text)
		}
		*e = append(*e, "."+one)
	}
	return nil
}

// word takes the flag's value as it is: kong's own way replaces what is not
// UTF-8, and paths and keys may be any bytes.
func word(ctx *kong.DecodeContext, what string) (string, error) {
	token, err := ctx.Scan.PopValue(what)
	if err != nil {
		return "", err
	}
	text, ok := token.Value.(string)
	if !ok {
		return "", fmt.Errorf("%v is no %s", token.Value, what)
	}
	return text, nil
}

// path is a file or directory, made absolute. "-" stays.
type path string

var _ kong.MapperValue = (*path)(nil)

// Decode reads the flag or argument.
func (p *path) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "file")
	if err != nil {
		return err
	}
	if text == "" {
		return errors.New("the path is empty: give one, or leave it out")
	}
	if text != "-" {
		text = kong.ExpandPath(text)
	}
	*p = path(text)
	return nil
}

// key is a key of a keyed stage, which may be empty.
type key struct{ text *string }

var _ kong.MapperValue = (*key)(nil)

// Decode reads the flag.
func (k *key) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "key")
	k.text = &text
	return err
}
