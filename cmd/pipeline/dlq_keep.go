package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// keepFlags bound the dead letters that a pipeline keeps.
type keepFlags struct {
	DeadLetters     count    `placeholder:"N" group:"how" help:"How many dead letters are kept. When there are as many a stage that has one more waits, and says so. Default: no bound but that of --dead-letter-bytes."`
	DeadLetterBytes size     `default:"1GiB" placeholder:"SIZE" group:"how" help:"How much they take together: bytes, or with a unit such as 64MiB. Default: 1GiB."`
	DeadLetterAge   duration `placeholder:"TIME" group:"how" help:"After which time they are dropped. Default: never."`
}

// size is a flag of bytes, above 0.
type size int64

var _ kong.MapperValue = (*size)(nil)

// Decode reads the flag.
func (s *size) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx, "size")
	if err != nil {
		return err
	}
	n, err := parseSize(text)
	*s = size(n)
	return err
}

func parseSize(text string) (int64, error) {
	digits, shift := text, 0
	for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if before, found := strings.CutSuffix(text, unit); found {
			digits, shift = before, bits
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size above 0: give bytes, or a whole number with KiB, MiB, GiB or TiB", text)
	}
	return n << shift, nil
}
