package dlq

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line that Import reads, in bytes.
const MaxLine = 64 << 20

// Export writes the letters that f selects to w, as [Letter.MarshalJSON] does, one a line, values included, and returns
// how many. They stay in the queue.
func (q *Queue) Export(ctx context.Context, f Filter, w io.Writer) (n int, err error) {
	f.WithoutValues = false
	buffered := bufio.NewWriter(w)
	err = q.Select(ctx, f, func(l Letter) error {
		line, err := l.MarshalJSON()
		if err != nil {
			return err
		}
		if _, err := buffered.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("dlq: export %s: %w", l.ID(), err)
		}
		n++
		return nil
	})
	if flushed := buffered.Flush(); flushed != nil && (err == nil || errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewerVersion)) {
		err = fmt.Errorf("dlq: export: %w", flushed)
	}
	return n, err
}

// Import puts the letters that Export has written, and returns how many of them were not there already. They must be of
// the same pipeline. It stops at the first line that it cannot read or put and names it; begun anew it goes on there,
// for what is there already is not written twice.
func (q *Queue) Import(ctx context.Context, r io.Reader) (n int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLine)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		written, err := q.importLine(ctx, line)
		if err != nil {
			return n, fmt.Errorf("dlq: import line %d: %w", number, err)
		}
		if written {
			n++
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return n, fmt.Errorf("dlq: import line %d: %w line: it has more than %d bytes", number+1, ErrInvalid, MaxLine)
	}
	if err := lines.Err(); err != nil {
		return n, fmt.Errorf("dlq: import line %d: %w", number+1, err)
	}
	return n, nil
}

func (q *Queue) importLine(ctx context.Context, line []byte) (written bool, err error) {
	var l Letter
	if err := json.Unmarshal(line, &l); err != nil {
		return false, fmt.Errorf("%w letter: %w", ErrInvalid, err)
	}
	return q.Put(ctx, l)
}
