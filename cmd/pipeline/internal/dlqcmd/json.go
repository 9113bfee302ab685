package dlqcmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
)

// WriteLetter writes a letter as JSON on one line that neither a terminal nor
// a page in a browser would act on. The value it stands for is the same.
func WriteLetter(w io.Writer, l dlq.Letter) error {
	data, err := l.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encode the dead letter %s: %w", l.ID(), err)
	}
	var line bytes.Buffer
	line.Grow(len(data) + 1)
	json.HTMLEscape(&line, render.EscapeJSON(data))
	line.WriteByte('\n')
	_, err = w.Write(line.Bytes())
	return err
}
