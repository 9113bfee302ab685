package origins

import (
	"fmt"
	"strings"

	"penstock/dlq"
	"penstock/engine/internal/plan"
	"penstock/engine/remedy"
)

// Takes says why the instance of a stage of the pipeline does not take messages of an input: nil if it does.
func Takes(p *plan.Pipeline, name string, instance int, input string) error {
	d := p.Stage(name)
	if d == nil {
		return mended(noStage(p.Name, name, p.StageNames()), input)
	}
	if isNone(d.Layout(), instance) {
		return mended(noInstance(name, instance), input)
	}
	var reads []string
	for _, i := range d.Inputs {
		if i.Stream.String() == input {
			return nil
		}
		reads = append(reads, i.Stream.String())
	}
	return mended(noReader(name, input, reads), input)
}

// mended adds what can be done about a stage that takes no such message.
func mended(err error, input string) error {
	return remedy.Errorf("%w: replay it to a stage that reads %s, named with %v, or discard it", err, input, remedy.ReplayTo)
}

func noStage(pipeline, name string, has []string) error {
	return fmt.Errorf("%w stage: pipeline %s has no stage %q, it has %s", dlq.ErrInvalid, pipeline, name, strings.Join(has, ", "))
}

// isNone says that there is no instance of that number, and never was.
func isNone(l plan.Layout, number int) bool { return number < 0 || number >= l.First+l.Count }

func noInstance(name string, instance int) error {
	return fmt.Errorf("%w instance: stage %s has no instance %d", dlq.ErrInvalid, name, instance)
}

func noReader(name, input string, reads []string) error {
	if len(reads) == 0 {
		return fmt.Errorf("%w stage: %s is a source and reads nothing", dlq.ErrInvalid, name)
	}
	return fmt.Errorf("%w stage: %s does not read %s, it reads %s", dlq.ErrInvalid, name, input, strings.Join(reads, ", "))
}
