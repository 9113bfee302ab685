package dlq

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

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
