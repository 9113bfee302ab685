package dlq

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"penstock/engine/cborjson"
	"penstock/internal/format"
)

// text is free text in JSON: a string, or {"base64": …} where a string cannot hold it or would blow it up.
type text string

type base64JSON struct {
	Base64 []byte `json:"base64"`
}

func (t text) MarshalJSON() ([]byte, error) {
	if jsonHolds(string(t)) {
		return []byte(toJSON(string(t))), nil
	}
	return json.Marshal(base64JSON{[]byte(t)})
}

func (t *text) UnmarshalJSON(data []byte) error {
	var plain string
	if err := json.Unmarshal(data, &plain); err == nil {
		*t = text(plain)
		return nil
	}
	var encoded base64JSON
	if err := json.Unmarshal(data, &encoded); err != nil {
		return errors.New(`one of its texts is neither a string nor {"base64": …}`)
	}
	*t = text(encoded.Base64)
	return nil
}

// letterJSON is the form of a letter in JSON. Its names never change, nor does their order.
type letterJSON struct {
	ID string `json:"id"`
	Origin
	contentJSON
	causeJSON
	roundsJSON
	writeJSON
	Unreadable bool            `json:"unreadable,omitempty"`
	Decoded    json.RawMessage `json:"decoded,omitempty"` // of the value: a number or truth value, for people
}

type contentJSON struct {
	Key          text            `json:"key,omitempty"`
	Value        []byte          `json:"value,omitempty"`
	ValueJSON    json.RawMessage `json:"json,omitempty"` // of the value, for people
	ValueText    string          `json:"text,omitempty"` // likewise
	ValueBytes   int             `json:"valueBytes"`
	ValueOmitted bool            `json:"valueOmitted,omitempty"`
	Edited       bool            `json:"edited,omitempty"`
	Original     *[]byte         `json:"original,omitempty"`
	Codec        text            `json:"codec,omitempty"`
	Time         string          `json:"time"`
}

type causeJSON struct {
	Reason          Reason          `json:"reason"`
	Error           text            `json:"error,omitempty"`
	Panic           text            `json:"panic,omitempty"`
	Stack           text            `json:"stack,omitempty"`
	Chain           []text          `json:"chain,omitempty"`
	Attempts        []attemptOfJSON `json:"attempts,omitempty"`
	AttemptsOmitted int             `json:"attemptsOmitted,omitempty"`
}

type roundsJSON struct {
	Round   int           `json:"round"`
	History []roundOfJSON `json:"history,omitempty"`
	To      string        `json:"to,omitempty"`
}

type writeJSON struct {
	Version  text   `json:"version,omitempty"`
	At       string `json:"at"`
	Sequence uint64 `json:"sequence,omitempty"`
	Queue    string `json:"queue,omitempty"`
	Format   int    `json:"format,omitempty"` // of this object, when it is above 1
}

type attemptOfJSON struct {
	Time  string `json:"time"`
	Error text   `json:"error"`
}

type roundOfJSON struct {
	At       string `json:"at"`
	Reason   Reason `json:"reason"`
	Error    text   `json:"error,omitempty"`
	Attempts int    `json:"attempts"`
	To       string `json:"to,omitempty"`
}

// MarshalJSON writes the letter in one line without anything that a terminal would act on: the value as base64
// ("value") and, where it is JSON, CBOR (as package cborjson shows it), text, a number or a truth value, as that too
// ("json", "text", "decoded"). Free texts are strings, or {"base64": …} where a string cannot hold them. Times are RFC
// 3339.
func (l Letter) MarshalJSON() ([]byte, error) {
	out := letterJSON{
		ID:     l.ID(),
		Origin: l.Origin,
		contentJSON: contentJSON{
			Key: text(l.Key), Value: l.Value, ValueBytes: l.ValueBytes, ValueOmitted: l.ValueOmitted, Edited: l.Edited,
			Codec: text(l.Codec), Time: encodeTime(l.Time),
		},
		causeJSON: causeJSON{
			Reason: l.Reason, Error: text(l.Error), Panic: text(l.Panic), Stack: text(l.Stack), AttemptsOmitted: l.AttemptsOmitted,
		},
		roundsJSON: roundsJSON{Round: max(l.Round, 1), To: l.To},
		writeJSON:  writeJSON{Version: text(l.Version), At: encodeTime(l.At), Sequence: l.Sequence, Queue: l.Queue},
		Unreadable: l.Unreadable,
	}
	if !l.ValueOmitted {
		out.ValueBytes = len(l.Value)
	}
	if l.Original != nil {
		out.Original = &l.Original
	}
	out.ValueJSON, out.ValueText = forPeople(l.Codec, l.Value)
	out.Decoded = decoded(l.Codec, l.Value)
	for _, c := range l.Chain {
		out.Chain = append(out.Chain, text(c))
	}
	for _, a := range l.Attempts {
		out.Attempts = append(out.Attempts, attemptOfJSON{encodeTime(a.Time), text(a.Error)})
	}
	for _, r := range l.History {
		out.History = append(out.History, roundOfJSON{encodeTime(r.At), r.Reason, text(r.Error), r.Attempts, r.To})
	}
	return []byte(toJSON(out)), nil
}

// forPeople shows a value as JSON or text if it is that, and does not grow much by it.
func forPeople(codec string, value []byte) (json.RawMessage, string) {
	if shown, ok := cborjson.Value(codec, value); ok && cborjson.IsMarked(value) {
		return shown, ""
	}
	if len(value) == 0 || !utf8.Valid(value) {
		return nil, ""
	}
	var compact bytes.Buffer
	if json.Compact(&compact, value) == nil {
		return compact.Bytes(), ""
	}
	if jsonHolds(string(value)) {
		return nil, string(value)
	}
	return nil, ""
}

// UnmarshalJSON reads what MarshalJSON writes. "json", "text" and "decoded" are not looked at.
func (l *Letter) UnmarshalJSON(data []byte) error {
	var in letterJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return plainly(err)
	}
	if in.Format > format.Export {
		return format.Newer("it", uint64(in.Format), format.Export)
	}
	if in.ID == "" {
		return errors.New("it has no id")
	}
	t := timeReader{}
	out := Letter{
		Origin: in.Origin,
		Content: Content{
			Key: string(in.Key), Value: in.Value, ValueBytes: len(in.Value), ValueOmitted: in.ValueOmitted, Edited: in.Edited,
			Codec: string(in.Codec), Time: t.read("time", in.Time),
		},
		Cause: Cause{
			Reason: in.Reason, Error: string(in.Error), Panic: string(in.Panic), Stack: string(in.Stack), AttemptsOmitted: in.AttemptsOmitted,
		},
		Rounds:     Rounds{Round: max(in.Round, 1), To: in.To},
		Write:      Write{Version: string(in.Version), At: t.read("at", in.At), Sequence: in.Sequence, Queue: in.Queue},
		Unreadable: in.Unreadable,
	}
	if in.Original != nil {
		out.Original = append([]byte{}, *in.Original...)
	}
	if in.ValueOmitted {
		out.ValueBytes = in.ValueBytes
	}
	for _, c := range in.Chain {
		out.Chain = append(out.Chain, string(c))
	}
	for _, a := range in.Attempts {
		out.Attempts = append(out.Attempts, Attempt{t.read("attempts.time", a.Time), string(a.Error)})
	}
	for _, r := range in.History {
		out.History = append(out.History, Round{t.read("history.at", r.At), r.Reason, string(r.Error), r.Attempts, r.To})
	}
	if t.err != nil {
		return t.err
	}
	if out.ID() != in.ID {
		return fmt.Errorf("its id is %q, but its other fields are those of %s: it was changed", cut(in.ID, shownText), out.ID())
	}
	*l = out
	return nil
}

// shownText bounds what an error shows of a text from anywhere, in bytes.
const shownText = 100

// plainly says what is wrong with JSON without the names of Go's types.
func plainly(err error) error {
	wrong, isWrong := err.(*json.UnmarshalTypeError)
	switch {
	case !isWrong:
		return err
	case wrong.Field == "":
		return fmt.Errorf("it is a JSON %s, not an object", wrong.Value)
	}
	return fmt.Errorf("its field %q cannot be a %s", cut(wrong.Field, shownText), wrong.Value)
}
