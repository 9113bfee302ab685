package engine

import (
	"errors"
	"runtime"
	"strconv"
	"strings"

	"penstock/engine/channel"
	"penstock/engine/internal/plan"
	"penstock/engine/remedy"
)

// Partitions runs a stage as n instances at the same time, each on a core of its own as far as there are some; 0 is as
// many as the process may use (runtime.GOMAXPROCS), and 1024 are the most. Default 1. It is for stages that are keyed
// in all their inputs, and for stages without a state (struct{}); for no source, and not beside Every.
//
// A keyed stage divides its keys: all messages of a key come to the same instance, in the order in which an instance
// of the stage before wrote them. A stage without state gets its messages in turn, and they keep no order among each
// other. Each instance has its own position, attempts, restarts and waits, so that a failure in one holds up no other.
// Functions, hooks and codecs of the stage are called by all instances at the same time: what they share besides the
// state has to be safe for concurrent use. Hooks of the whole stage are called once for each instance.
//
// The number is kept with the channels. Where a run goes on with what another one left and has another number, the
// start moves the states: first the stages handle, while the sources wait, what was written for the partitions that
// there were. What waits for something (a held message, or one between two attempts) cannot be moved: such a start is
// refused with ErrRefused, which names it. A stage that has ended keeps its partitions until the next run. A run in
// memory is refused with any other number.
func Partitions(n int) Option {
	return func(o *plan.Options) { o.Partitions = orCores(n) }
}

// SetPartitions gives a stage another number of partitions than its option Partitions says, as a flag of a program may
// ask for. It belongs to the declaration: call it after the stage is declared, and before Run. A name that no stage
// has is a mistake that Check and Run report.
func (p *Pipeline) SetPartitions(stage string, n int) {
	s := p.plan.Stage(stage)
	if s == nil {
		p.plan.Mistake("there is no stage %q to run in %d partitions: the stages are %s", stage, n, strings.Join(p.plan.StageNames(), ", "))
		return
	}
	s.Options.Partitions = orCores(n)
}

// otherPartitions makes a refusal of the number of partitions one of the start.
func otherPartitions(err error) error {
	var other *channel.PartitionsError
	if errors.As(err, &other) {
		return remedy.Errorf("%w: %w; go on with %v, or start over with %v", ErrRefused, other,
			remedy.SetPartitions.For(other.Stage+"="+strconv.Itoa(other.Had.Count)), remedy.Fresh)
	}
	return err
}

func orCores(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}
