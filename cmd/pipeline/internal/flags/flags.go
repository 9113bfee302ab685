package flags

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Duration is a flag above 0 that also takes a whole number of milliseconds.
type Duration time.Duration

var _ kong.MapperValue = (*Duration)(nil)

// Decode reads the flag.
func (d *Duration) Decode(ctx *kong.DecodeContext) error {
	text, err := Word(ctx, "duration")
	if err != nil {
		return err
	}
	value, err := ParseDuration(text)
	*d = Duration(value)
	return err
}

// ParseDuration reads a duration above 0, or a whole number of milliseconds.
func ParseDuration(text string) (time.Duration, error) {
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
		return 0, fmt.Errorf("%q is not a duration: give a number with a unit, such as 500ms, 1.5s or 2m, or a whole number of milliseconds", text)
	}
	if value <= 0 {
		return 0, fmt.Errorf("%q is not above 0: give a duration such as 500ms or 1s, or a whole number of milliseconds", text)
	}
	return value, nil
}

// Count is a flag from 1 up.
type Count uint64

var _ kong.MapperValue = (*Count)(nil)

// Decode reads the flag.
func (c *Count) Decode(ctx *kong.DecodeContext) error {
	text, err := Word(ctx, "number")
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is not a whole number of 1 or more", text)
	}
	*c = Count(n)
	return nil
}

// Extensions are the ends of file names.
type Extensions []string

var _ kong.MapperValue = (*Extensions)(nil)

// Decode reads the flag, which may come more than once.
func (e *Extensions) Decode(ctx *kong.DecodeContext) error {
	text, err := Word(ctx, ".ext,…")
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

// Word takes the flag's value as it is: kong's own way replaces what is not
// UTF-8, and paths and keys may be any bytes.
func Word(ctx *kong.DecodeContext, what string) (string, error) {
	token, err := ctx.Scan.PopValue(what)
	if err != nil {
		return "", err
	}
	text, ok := token.Value.(string)
	if !ok {
		return "", fmt.Errorf("%v is not a %s", token.Value, what)
	}
	return text, nil
}

// Path is a file or directory, made absolute. "-" stays.
type Path string

var _ kong.MapperValue = (*Path)(nil)

// Decode reads the flag or argument.
func (p *Path) Decode(ctx *kong.DecodeContext) error {
	text, err := Word(ctx, "file")
	if err != nil {
		return err
	}
	if text == "" {
		return errors.New("the path is empty: give one, or leave it out")
	}
	if text != "-" {
		text = kong.ExpandPath(text)
	}
	*p = Path(text)
	return nil
}

// Size is a flag of bytes, above 0.
type Size int64

var _ kong.MapperValue = (*Size)(nil)

// Decode reads the flag.
func (s *Size) Decode(ctx *kong.DecodeContext) error {
	text, err := Word(ctx, "size")
	if err != nil {
		return err
	}
	n, err := ParseSize(text)
	*s = Size(n)
	return err
}

// ParseSize reads a number of bytes above 0, with or without a unit.
func ParseSize(text string) (int64, error) {
	digits, shift := text, 0
	for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if before, found := strings.CutSuffix(text, unit); found {
			digits, shift = before, bits
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is not a size above 0: give bytes, or a whole number with KiB, MiB, GiB or TiB", text)
	}
	return n << shift, nil
}
