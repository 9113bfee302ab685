package dlq

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/format"
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
	headerOriginalBytes = "Penstock-Original-Bytes"
	headerCodec         = "Penstock-Codec"
	headerTime          = "Penstock-Time"
	headerReason        = "Penstock-Reason"
	headerError         = "Penstock-Error"
	headerPanic         = "Penstock-Panic"
	headerStack         = "Penstock-Stack"
	headerAttempts      = "Penstock-Attempts"
	headerOmitted       = "Penstock-Attempts-Omitted"
	headerChain         = "Penstock-Chain"
	headerRound         = "Penstock-Round"
	headerHistory       = "Penstock-History"
	headerTo            = "Penstock-To"
	headerEdited        = "Penstock-Edited"
	headerVersion       = "Penstock-Version"
	headerAt            = "Penstock-At"
	headerWrite         = "Penstock-Write"
)

// encode turns a checked letter into the message that stores it. The server refuses that message when its subject has
// one.
func encode(l Letter, lim limits, write string) *nats.Msg {
	l = l.stored(lim)
	h := nats.Header{
		headerFormat:        {strconv.Itoa(format.PlainLetter)},
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
	if l.Original != nil {
		h.Set(headerFormat, strconv.Itoa(format.LetterWithOriginal))
		h.Set(headerOriginalBytes, strconv.Itoa(len(l.Original)))
		data = append(data[:len(data):len(data)], l.Original...)
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
	setRounds(h, l)
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

// decode is the inverse of encode. Every error wraps ErrDamaged or ErrNewerVersion.
func decode(m *jetstream.RawStreamMsg) (Letter, error) {
	l, err := decodeHeaders(m, len(m.Data))
	if err != nil {
		return Letter{}, damaged(m, err)
	}
	end, keyEnd := l.ValueBytes, len(m.Data)
	l.ValueOmitted = false
	if text := m.Header.Get(headerOriginalBytes); text != "" {
		n, _ := strconv.Atoi(text) // decodeHeaders has checked it
		keyEnd -= n
		l.Original = append([]byte{}, m.Data[keyEnd:]...)
	}
	if end < keyEnd {
		l.Key = string(m.Data[end:keyEnd])
	}
	if end > 0 {
		l.Value = m.Data[:end:end]
	}
	if err := l.checkStored(m.Subject); err != nil {
		return Letter{}, damaged(m, err)
	}
	return l, nil
}

// decodeListed decodes what a listing shows: everything but the value, and but a key that stands in the payload of size
// bytes.
func decodeListed(m *jetstream.RawStreamMsg, size int) (Letter, error) {
	l, err := decodeHeaders(m, size)
	if err == nil {
		omitted := l.ValueOmitted
		l.ValueOmitted = false
		err = l.checkStored(m.Subject)
		l.ValueOmitted = omitted
	}
	if err != nil {
		return Letter{}, damaged(m, err)
	}
	return l, nil
}

// damaged says why a stored message cannot be read. One of a newer version is not damaged.
func damaged(m *jetstream.RawStreamMsg, err error) error {
	if errors.Is(err, format.ErrNewer) {
		return fmt.Errorf("sequence %d, subject %s: %w", m.Sequence, m.Subject, err)
	}
	return fmt.Errorf("%w: sequence %d, subject %s: %w", ErrDamaged, m.Sequence, m.Subject, err)
}

func (l Letter) checkStored(subject string) error {
	if err := l.check(); err != nil {
		return err
	}
	if want := l.origin().subject(l.Pipeline); subject != want {
		return fmt.Errorf("its headers belong to %s", want)
	}
	return nil
}

// decodeHeaders reads what is in the headers of a message with a payload of size bytes.
func decodeHeaders(m *jetstream.RawStreamMsg, size int) (Letter, error) {
	if err := checkFormat(m.Header.Get(headerFormat)); err != nil {
		return Letter{}, err
	}
	r := headerReader{header: m.Header}
	l := Letter{
		Origin: Origin{
			Pipeline: m.Header.Get(headerPipeline), Stage: m.Header.Get(headerStage), Instance: r.int(headerInstance),
			Input: m.Header.Get(headerInput), InputInstance: r.int(headerInputInstance), Offset: r.uint(headerOffset),
		},
		Content: Content{Key: r.text(headerKey), Codec: r.text(headerCodec), Time: r.time(headerTime), Edited: m.Header.Get(headerEdited) != ""},
		Cause: Cause{
			Reason: Reason(m.Header.Get(headerReason)), Error: r.text(headerError), Panic: r.text(headerPanic), Stack: r.text(headerStack),
			Attempts: r.attempts(headerAttempts), AttemptsOmitted: r.optionalInt(headerOmitted), Chain: r.chain(headerChain),
		},
		Rounds: Rounds{Round: 1, History: r.history(headerHistory), To: m.Header.Get(headerTo)},
		Write:  Write{Version: r.text(headerVersion), At: r.time(headerAt), Sequence: m.Sequence},
	}
	if len(m.Header[headerRound]) > 0 {
		if l.Round = r.int(headerRound); l.Round < 1 {
			r.fail(headerRound, fmt.Errorf("%d", l.Round))
		}
	}
	original := r.optionalInt(headerOriginalBytes)
	if original < 0 || original > size {
		r.fail(headerOriginalBytes, fmt.Errorf("%d of %d bytes", original, size))
		original = 0
	}
	size -= original
	n := r.optionalInt(headerKeyBytes)
	if n < 0 || n > size {
		r.fail(headerKeyBytes, fmt.Errorf("%d of %d bytes", n, size))
	}
	l.ValueBytes = size - n
	l.ValueOmitted = l.ValueBytes > 0
	return l, r.err
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

func (r *headerReader) chain(name string) []string {
	if len(r.header[name]) == 0 {
		return nil
	}
	list, err := decodeChain(r.header.Get(name))
	r.fail(name, err)
	return list
}

func (r *headerReader) history(name string) []Round {
	if len(r.header[name]) == 0 {
		return nil
	}
	list, err := decodeHistory(r.header.Get(name))
	r.fail(name, err)
	return list
}
