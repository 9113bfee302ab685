package runcmd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
)

// partitions are how many a stage runs in.
type partitions map[string]int

var _ kong.MapperValue = (*partitions)(nil)

// Decode reads the flag, which may come more than once.
func (p *partitions) Decode(ctx *kong.DecodeContext) error {
	text, err := flags.Word(ctx, "STAGE=N")
	if err != nil {
		return err
	}
	stage, number, _ := strings.Cut(text, "=")
	n, err := strconv.Atoi(number)
	if err != nil || stage == "" {
		return fmt.Errorf("%q is not STAGE=N, such as tally=4; give the flag once for each stage", text)
	}
	if *p == nil {
		*p = partitions{}
	}
	(*p)[stage] = n
	return nil
}

// divide gives stages the partitions that the flags ask for.
func (p partitions) divide(to *engine.Pipeline) error {
	if len(p) == 0 {
		return nil
	}
	for stage, n := range p {
		to.SetPartitions(stage, n)
	}
	if err := to.Check(); err != nil {
		return flags.Usage("--partitions: %w", err)
	}
	return nil
}
