package socket

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
)

// Bounds of an answer: whatever serves the socket is not trusted.
const (
	wholeMost  = 64 << 20        // bytes of one that is kept in memory
	listedMost = 4 << 20         // bytes of a line without a value
	valueMost  = 2 * dlq.MaxLine // of one with a value, in base64
	lettersFor = 10 * time.Minute
)

// errTooMuch says that an answer is longer than that of any pipeline.
var errTooMuch = errors.New("the answer on the control socket is too long")

// bounded reads at most so many bytes, and then fails.
type bounded struct {
	io.Reader
	left, most int64
}

func boundedTo(r io.Reader, most int64) *bounded { return &bounded{r, most, most} }

// Read reads a piece.
func (b *bounded) Read(data []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: it has more than %d MiB", errTooMuch, b.most>>20)
	}
	n, err := b.Reader.Read(data[:min(int64(len(data)), b.left)])
	b.left -= int64(n)
	return n, err
}

// decodeWhole reads an answer that is one JSON value.
func decodeWhole(r io.Reader, value any) error {
	if err := json.NewDecoder(boundedTo(r, wholeMost)).Decode(value); err != nil {
		return brokeOff(err)
	}
	return nil
}

// eachLine calls fn with every line of an answer, each of which is JSON of at most
// so many bytes.
func eachLine[T any](r io.Reader, most int, fn func(T) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, most)
	for scanner.Scan() {
		var line T
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return brokeOff(cmp.Or(scanner.Err(), err)) // the line may be what came before an error
		}
		if err := fn(line); err != nil {
			return err
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%w: a line has more than %d MiB", errTooMuch, most>>20)
	}
	if err := scanner.Err(); err != nil {
		return brokeOff(err)
	}
	return nil
}

// copyLines copies lines that cannot steer a terminal, in bounded memory.
func copyLines(w io.Writer, r io.Reader) error {
	in, out := bufio.NewReaderSize(r, 32<<10), bufio.NewWriterSize(w, 32<<10)
	for {
		c, size, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return errors.Join(out.Flush(), brokeOff(err))
		}
		switch {
		case c == '\n' || c >= ' ' && c < 0x7f:
			err = out.WriteByte(byte(c))
		case c < ' ' || c == 0x7f:
			_, err = fmt.Fprintf(out, `\u%04x`, c)
		case c == '\ufffd' && size == 1:
			_, err = out.WriteString(`\ufffd`)
		default:
			_, err = out.Write(render.EscapeJSON([]byte(string(c))))
		}
		if err != nil {
			return err
		}
	}
}

func brokeOff(err error) error {
	return fmt.Errorf("the answer of the running pipeline was cut off: %w", err)
}
