package dlq

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	headerFormat        = "Penstock-Letter"
	headerPipeline      = "Penstock-Pipeline"
	headerStage         = "Penstock-Stage"
	headerInstance      = "Penstock-Instance"
	headerInput         = "Penstock-Input"
	headerInputInstance = "Penstock-Input-Instance"
	headerOffset        = "Penstock-Offset"
	headerKey           = "Penstock-Key"
	headerKeyBytes      = "Penstock-Key-Bytes"
	headerCodec         = "Penstock-Codec"
	headerTime          = "Penstock-Time"
	headerReason        = "Penstock-Reason"
	headerError         = "Penstock-Error"
	headerPanic         = "Penstock-Panic"
	headerStack         = "Penstock-Stack"
	headerAttempts      = "Penstock-Attempts"
	headerOmitted       = "Penstock-Attempts-Omitted"
	headerVersion       = "Penstock-Version"
	headerAt            = "Penstock-At"
	headerWrite         = "Penstock-Write"
)

const format = "1"

// encode turns a checked letter into the message that stores it. The server refuses that message when its subject has one.
func encode(l Letter, lim limits, write string) *nats.Msg {
	l = l.stored(lim)
	h := nats.Header{
		headerFormat:        {format},
		headerPipeline:      {l.Pipeline},
		headerStage:         {l.Stage},
		headerInstance:      {strconv.Itoa(l.Instance)},
		headerInput:         {l.Input},
		headerInputInstance: {strconv.Itoa(l.InputInstance)},
		headerOffset:        {strconv.FormatUint(l.Offset, 10)},
		headerTime:          {encodeTime(l.Time)},
		headerReason:        {string(l.Reason)},
		headerAt:            {encodeTime(l.At)},
		headerWrite:         {write},

		jetstream.ExpectedStreamHeader:      {StreamName(l.Pipeline)},
		jetstream.ExpectedLastSubjSeqHeader: {"0"},
	}
	data := l.Value
	if len(l.Key) > lim.key {
		h.Set(headerKeyBytes, strconv.Itoa(len(l.Key)))
		data = append(data[:len(data):len(data)], l.Key...)
	} else {
		setText(h, headerKey, l.Key)
	}
	setText(h, headerCodec, l.Codec)
	setText(h, headerError, l.Error)
	setText(h, headerPanic, l.Panic)
	setText(h, headerStack, l.Stack)
	setText(h, headerVersion, l.Version)
	if len(l.Attempts) > 0 {
		h.Set(headerAttempts, encodeAttempts(l.Attempts))
	}
	if l.AttemptsOmitted > 0 {
		h.Set(headerOmitted, strconv.Itoa(l.AttemptsOmitted))
	}
	return &nats.Msg{Subject: l.origin().subject(l.Pipeline), Header: h, Data: data}
}

func setText(h nats.Header, name, text string) {
	if text != "" {
		h.Set(name, encodeText(text))
	}
}

// headerSize is the length of the headers on the wire.
func headerSize(h nats.Header) int {
	size := len("NATS/1.0\r\n\r\n")
	for name, values := range h {
		for _, v := range values {
			size += len(name) + len(": ") + len(v) + len("\r\n")
		}
	}
	return size
}

// decode is the inverse of encode. Every error wraps ErrDamaged.
func decode(m *jetstream.RawStreamMsg) (Letter, error) {
	damaged := func(err error) (Letter, error) {
		return Letter{}, fmt.Errorf("%w: sequence %d, subject %s: %w", ErrDamaged, m.Sequence, m.Subject, err)
	}
	if got := m.Header.Get(headerFormat); got != format {
		return damaged(fmt.Errorf("%s is %q, this build reads %q", headerFormat, got, format))
	}
	r := headerReader{header: m.Header}
	l := Letter{
		Pipeline:        m.Header.Get(headerPipeline),
		Stage:           m.Header.Get(headerStage),
		Instance:        r.int(headerInstance),
		Input:           m.Header.Get(headerInput),
		InputInstance:   r.int(headerInputInstance),
		Offset:          r.uint(headerOffset),
		Key:             r.text(headerKey),
		Value:           m.Data,
		Codec:           r.text(headerCodec),
		Time:            r.time(headerTime),
		Reason:          Reason(m.Header.Get(headerReason)),
		Error:           r.text(headerError),
		Panic:           r.text(headerPanic),
		Stack:           r.text(headerStack),
		Attempts:        r.attempts(headerAttempts),
		AttemptsOmitted: r.optionalInt(headerOmitted),
		Version:         r.text(headerVersion),
		At:              r.time(headerAt),
		Sequence:        m.Sequence,
	}
	if n := r.optionalInt(headerKeyBytes); n < 0 || n > len(m.Data) {
		r.fail(headerKeyBytes, fmt.Errorf("%d of %d bytes", n, len(m.Data)))
	} else if n > 0 {
		end := len(m.Data) - n
		l.Key, l.Value = string(m.Data[end:]), m.Data[:end:end]
	}
	if len(l.Value) == 0 {
		l.Value = nil
	}
	if r.err != nil {
		return damaged(r.err)
	}
	if err := l.check(); err != nil {
		return damaged(err)
	}
	if want := l.origin().subject(l.Pipeline); m.Subject != want {
		return damaged(fmt.Errorf("its headers belong to %s", want))
	}
	return l, nil
}

// headerReader reads headers and keeps the first error.
type headerReader struct {
	header nats.Header
	err    error
}

func (r *headerReader) fail(name string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("header %s: %w", name, err)
	}
}

func (r *headerReader) int(name string) int {
	n, err := strconv.Atoi(r.header.Get(name))
	r.fail(name, err)
	return n
}

func (r *headerReader) optionalInt(name string) int {
	if len(r.header[name]) == 0 {
		return 0
	}
	return r.int(name)
}

func (r *headerReader) uint(name string) uint64 {
	n, err := strconv.ParseUint(r.header.Get(name), 10, 64)
	r.fail(name, err)
	return n
}

func (r *headerReader) time(name string) time.Time {
	t, err := decodeTime(r.header.Get(name))
	r.fail(name, err)
	return t
}

func (r *headerReader) text(name string) string {
	if len(r.header[name]) == 0 {
		return ""
	}
	s, err := decodeText(r.header.Get(name))
	r.fail(name, err)
	return s
}

func (r *headerReader) attempts(name string) []Attempt {
	if len(r.header[name]) == 0 {
		return nil
	}
	list, err := decodeAttempts(r.header.Get(name))
	r.fail(name, err)
	return list
}
