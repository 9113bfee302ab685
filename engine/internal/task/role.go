package task

import (
	"context"
	"errors"
	"fmt"

	"penstock/engine/frame"
	"penstock/engine/internal/answer"
	"penstock/engine/internal/plan"
)

// A role is what a source and a stage with inputs do differently. All the rest of a task is the same for both.
type role interface {
	// loop works until the stage ends, fails or is to stop.
	loop(ctx context.Context) error

	// waitsForGivenUp says that there is nothing to do, but for what stages that were given up may send.
	waitsForGivenUp() bool

	// finished are the outputs of the calls that have ended. It is called with the batch's lock held, as is launched.
	finished() []frame.Section

	// launched takes what a transaction holds out of the batch.
	launched(x *txn)

	// committed follows a transaction that the channel has. It is called with the batch's lock held.
	committed()

	// counts divides what a transaction took.
	counts(taken uint64) (messages, calls uint64)

	// narrow has fewer calls in the next commit; false when that cannot help.
	narrow() bool

	// unsaved answers a commit whose state cannot be encoded.
	unsaved(err error) error

	// tooLarge answers a commit of one call that does not fit into a message of the server.
	tooLarge(err *TooLargeError) error

	// passesUnfit says that the stage goes on without a value that cannot be sent.
	passesUnfit() bool

	// unsent answers a call that emitted a value which cannot be sent.
	unsent(unit string, err error) error

	// dropped counts values that a call left out on purpose.
	dropped(n uint64)
}

// processorRole is that of every stage that has inputs.
type processorRole struct{ *Task }

func (p processorRole) waitsForGivenUp() bool {
	return p.Run.hasGivenUp() && p.clean() && p.inputsQuiet() && !p.waitsForTime()
}

func (p processorRole) finished() []frame.Section { return p.Batch.copied() }

func (p processorRole) launched(x *txn) {
	next := make([]uint64, len(x.frame.Sections))
	for d := range next {
		next[d] = x.frame.Sections[d].Next()
	}
	p.Batch.reset(next)
}

func (p processorRole) committed() {}

func (p processorRole) counts(taken uint64) (messages, calls uint64) { return taken, 0 }

// narrow halves the calls; a commit of one call stays as it is.
func (p processorRole) narrow() bool {
	if p.Batch.Calls <= 1 {
		return false
	}
	p.Batch.most = p.Batch.Calls / 2
	return true
}

func (p processorRole) unsaved(err error) error {
	switch last := p.Batch.last; {
	case errors.Is(err, errAbandoned):
		return err
	case p.Batch.Calls > 1:
		if p.Batch.most == batchCalls { // once for each search
			p.Log.Warn("the state cannot be encoded: the stage goes back to the last commit to find the message that caused it", "calls", p.Batch.Calls, "error", brief(err))
		}
		p.narrow()
		return errRewind
	case last.input == nil:
		p.blame()
	case !last.checked:
		last.input.alone, last.input.aloneAt = true, last.offset
		return errRewind
	case p.Processor.HasBeforeCommit():
		return fmt.Errorf("after BeforeCommit: %w", err)
	default: // the codec gave two answers
		p.blame()
	}
	return err
}

func (p processorRole) tooLarge(err *TooLargeError) error {
	p.blame()
	return err
}

func (p processorRole) passesUnfit() bool { return false }

func (p processorRole) unsent(_ string, err error) error { return err }

func (p processorRole) dropped(uint64) {}

func (s *Source) waitsForGivenUp() bool { return false }

// finished leaves out what the call under way has emitted so far.
func (s *Source) finished() []frame.Section {
	sections := s.Batch.copied()
	for d := range sections {
		sections[d].Truncate(s.Batch.marks[d])
	}
	return sections
}

func (s *Source) launched(*txn) { s.Batch.split() }

func (s *Source) committed() { s.makeRoom() }

func (s *Source) counts(taken uint64) (messages, calls uint64) { return 0, taken }

// narrow cannot help: a source's calls do not wait for commits.
func (s *Source) narrow() bool { return false }

func (s *Source) unsaved(err error) error { return err }

func (s *Source) tooLarge(err *TooLargeError) error { return answer.Fatal(err) }

func (s *Source) passesUnfit() bool {
	l := s.Definition.Options.Unfit
	return l != nil && (*l == plan.DeadLetter || *l == plan.DropMessage)
}

func (s *Source) unsent(unit string, err error) error {
	if l := s.Definition.Options.Unfit; l != nil && (*l == plan.StopStage || *l == plan.EscalateStage) {
		return &AtLimitError{Stage: s.Definition.Name, Message: unit, Attempts: 1, Reason: err.Error()}
	}
	return answer.Fatal(fmt.Errorf("%w; with the option engine.OnUnfit the source makes it a dead letter or drops it, and goes on", err))
}

func (s *Source) dropped(n uint64) { s.Batch.unfit.dropped += n }
