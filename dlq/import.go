package dlq

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine/remedy"
)

// MaxLine is the longest line that Import reads, in bytes.
const MaxLine = 64 << 20

// ImportOptions say what an import does with letters that may have had their effect. The zero value refuses them.
type ImportOptions struct {
	// Force takes letters that were replayed or discarded here, and letters of another run, as the caller answers for
	// them. What cannot be a letter of this run is refused all the same.
	Force bool
	// Refused is called for each letter that is not taken, which does not end the import. Its error ends it.
	Refused func(line int, l Letter, err error) error
}

// Imported counts what an import did.
type Imported struct {
	Stored  int // letters that were not there
	There   int // letters that are there already, in this or a later round
	Refused int // letters that were not taken
}

// Import puts the letters that Export has written. It takes only what is a letter of this run and may still be open:
//
//   - What is there already stays as it is.
//   - A letter that was read from this queue, and is there no more, is refused with ErrSettled. The queue knows it by
//     the letter's sequence, so this costs no record of what was replayed.
//   - A letter that does not tell of its run, or tells of another one, is refused with ErrOtherRun.
//   - A letter that the run cannot have had is refused with ErrInvalid: see [Queue.Bind].
//   - What the queue lost, such as with its server, is stored again.
//
// Refused letters are counted and passed over. Import stops at the first line that it cannot read or put, and names it;
// begun anew it goes on there.
func (q *Queue) Import(ctx context.Context, r io.Reader, o ImportOptions) (n Imported, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLine)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := q.importLine(ctx, number, line, o, &n); err != nil {
			return n, fmt.Errorf("dlq: import: line %d %w", number, err)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return n, fmt.Errorf("dlq: import: line %d is an %w line: it has more than %d bytes", number+1, ErrInvalid, MaxLine)
	}
	if err := lines.Err(); err != nil {
		return n, fmt.Errorf("dlq: import: line %d: %w", number+1, err)
	}
	return n, nil
}

func (q *Queue) importLine(ctx context.Context, number int, line []byte, o ImportOptions, n *Imported) error {
	var l Letter
	if err := json.Unmarshal(line, &l); err != nil {
		return fmt.Errorf("is %w: no dead letter of an export: %w", ErrInvalid, err)
	}
	written, err := q.importLetter(ctx, l, o)
	switch {
	case errors.Is(err, ErrSettled), errors.Is(err, ErrOtherRun), errors.Is(err, ErrConflict), errors.Is(err, errNotOfRun):
		n.Refused++
		if o.Refused == nil {
			return nil
		}
		return o.Refused(number, l, err)
	case err != nil:
		return fmt.Errorf("is not imported: %w", err)
	case written:
		n.Stored++
	default:
		n.There++
	}
	return nil
}

// importLetter decides about one letter. What is there is there, whatever else is known of it.
func (q *Queue) importLetter(ctx context.Context, l Letter, o ImportOptions) (written bool, err error) {
	if l.Pipeline != q.pipeline {
		return false, fmt.Errorf("%w letter: it belongs to pipeline %q", ErrInvalid, l.Pipeline)
	}
	if err := l.check(); err != nil {
		return false, err
	}
	there, err := q.holds(ctx, l)
	if err != nil || there {
		return false, err
	}
	if q.run != nil {
		switch err := q.run.CheckLetter(ctx, l); {
		case errors.Is(err, ErrInvalid):
			return false, fmt.Errorf("%w: %w", errNotOfRun, err)
		case err != nil: // it could not look: nothing is wrong with the letter
			return false, err
		}
	}
	if !o.Force {
		if err := q.checkOpen(ctx, l); err != nil {
			return false, err
		}
	}
	return q.Put(ctx, l)
}

// errNotOfRun marks a refusal of Run.CheckLetter.
var errNotOfRun = fmt.Errorf("%w letter", ErrInvalid)

// holds says whether this letter, or one of a later round, is stored.
func (q *Queue) holds(ctx context.Context, l Letter) (bool, error) {
	var there *jetstream.RawStreamMsg
	err := q.ask(ctx, "look up", func(ctx context.Context) (err error) {
		there, err = q.stream.GetLastMsgForSubject(ctx, l.origin().subject(q.pipeline))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			there, err = nil, nil
		}
		return err
	})
	if err != nil || there == nil {
		return false, err
	}
	old, err := decode(there)
	if isUnreadable(err) {
		return false, nil // Put knows what to do with it
	}
	if err != nil || old.Round < max(l.Round, 1) {
		return false, err
	}
	if old.Round == max(l.Round, 1) && (old.Key != l.Key || !bytes.Equal(old.Value, l.Value)) {
		return false, fmt.Errorf("%w: sequence %d, written %v: replay or discard that one first", ErrConflict, old.Sequence, old.At)
	}
	return true, nil
}

// checkOpen refuses a letter that this queue had and has no more, and one of which it knows nothing.
func (q *Queue) checkOpen(ctx context.Context, l Letter) error {
	identity, _ := splitMark(l.Queue)
	own, _ := splitMark(q.mark)
	switch {
	case identity == "":
		return remedy.Errorf("%w: the line does not say of which queue it is: an earlier version of Penstock wrote it, or a person. Its message may have had its effect. "+
			"If it has not, import it with %v", ErrOtherRun, remedy.ForceImport)
	case identity != own:
		return remedy.Errorf("%w: it was exported from another run, where offset %d of %s is another message. If its value is to be processed here, import it with %v",
			ErrOtherRun, l.Offset, l.Input, remedy.ForceImport)
	case l.Queue != q.mark: // this run's queue before its stream was made anew, and empty: what was in there is lost
		return nil
	}
	last, err := q.Last(ctx)
	if err != nil || l.Sequence > last { // the stream lost its tail
		return err
	}
	return remedy.Errorf("%w: it was stored here as sequence %d. To process its message again, import it with %v", ErrSettled, l.Sequence, remedy.ForceImport)
}
