package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"penstock/dlq"
	"penstock/engine/redact"
)

// writeLetter writes a letter as JSON on one line that neither a terminal nor
// a page in a browser would act on. The value it stands for is the same.
func writeLetter(w io.Writer, l dlq.Letter) error {
	data, err := l.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encode the dead letter %s: %w", l.ID(), err)
	}
	if number, ok := decoded(l); ok {
		data = append(append(data[:len(data)-1], `,"decoded":`...), append(number, '}')...)
	}
	var line bytes.Buffer
	line.Grow(len(data) + 1)
	json.HTMLEscape(&line, escapeJSON(data))
	line.WriteByte('\n')
	_, err = w.Write(line.Bytes())
	return err
}

// decoded is a number or truth value in JSON. What is text or JSON itself is
// readable already.
func decoded(l dlq.Letter) ([]byte, bool) {
	switch l.Codec {
	case "uint64", "int64", "float64", "bool":
		text, ok := valueText(l.Codec, l.Value)
		return []byte(text), ok && json.Valid([]byte(text)) // which has no infinity
	}
	return nil, false
}

// redacted hides passwords in what the failure says. Key and value are the
// user's own.
func redacted(l dlq.Letter) dlq.Letter {
	l.Error, l.Panic, l.Stack = redact.Text(l.Error), redact.Text(l.Panic), redact.Text(l.Stack)
	l.Chain = append([]string(nil), l.Chain...)
	for i := range l.Chain {
		l.Chain[i] = redact.Text(l.Chain[i])
	}
	l.Attempts = append([]dlq.Attempt(nil), l.Attempts...)
	for i := range l.Attempts {
		l.Attempts[i].Error = redact.Text(l.Attempts[i].Error)
	}
	l.History = append([]dlq.Round(nil), l.History...)
	for i := range l.History {
		l.History[i].Error = redact.Text(l.History[i].Error)
	}
	return l
}
