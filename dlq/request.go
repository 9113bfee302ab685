package dlq

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	headerReplayStage    = "Penstock-Replay-Stage"
	headerReplayInstance = "Penstock-Replay-Instance"
	headerLetterSequence = "Penstock-Letter-Sequence"
)

// Replay is a request to take the message of a letter again. It is of use to the engine only.
type Replay struct {
	// Letter is what to take: its Value is the edited one if it was edited. Of the failure it holds reason, error, panic
	// and number of attempts (AttemptsOmitted) only.
	Letter
	Stage    string // which takes it; Letter.Stage is the one that the message came to from its input
	Instance int    // of that
	// Sequence of the request is what the stage commits as its position; Letter.Sequence is another. It grows even when
	// the stream of the replays is deleted and made anew.
	Sequence uint64
	// LetterSequence is the write of the letter that the request was made of. It counts only while that is there.
	LetterSequence uint64
}

// Again is the letter to Put when the replay has failed: that of the next round, with the history. The caller adds the
// Cause, Version and At.
func (r Replay) Again() Letter {
	l := r.Letter
	history := append(l.History[:len(l.History):len(l.History)], l.round())
	next := Letter{
		Origin:  l.Origin,
		Content: Content{Key: l.Key, Value: l.Value, Edited: l.Edited, Original: l.Original, Codec: l.Codec, Time: l.Time},
		Rounds:  Rounds{Round: max(l.Round, 1) + 1, History: history[max(len(history)-maxHistory, 0):]},
	}
	if r.Stage != l.Stage {
		next.To = r.Stage
	}
	return next
}

func (r Replay) subject(pipeline string) string {
	return fmt.Sprintf("%s.%s.%d.replay.%s", pipeline, r.Stage, r.Instance, r.Letter.origin().replayTokens())
}

// replayTokens name the letter in the subject of a request.
func (o origin) replayTokens() string {
	return fmt.Sprintf("%s.%d.%s.%d.%d", o.stage, o.instance, inputToken(o.input), o.inputInstance, o.offset)
}

// anyReplay covers the requests for the letter to whatever stage: there is one at most.
func (o origin) anyReplay(pipeline string) string {
	return pipeline + ".*.*.replay." + o.replayTokens()
}

// encodeReplay makes the message of a request. The server refuses it while another one for the same letter waits.
func encodeReplay(r Replay, lim limits, write string) *nats.Msg {
	l := r.Letter
	l.AttemptsOmitted += len(l.Attempts)
	l.Attempts, l.Stack, l.Chain = nil, "", nil
	msg := encode(l, lim, write)
	msg.Subject = r.subject(l.Pipeline)
	h := msg.Header
	h.Set(headerReplayStage, r.Stage)
	h.Set(headerReplayInstance, strconv.Itoa(r.Instance))
	h.Set(headerLetterSequence, strconv.FormatUint(r.LetterSequence, 10))
	h.Set(jetstream.ExpectedStreamHeader, ReplayStreamName(l.Pipeline))
	h.Set(jetstream.ExpectedLastSubjSeqSubjHeader, l.origin().anyReplay(l.Pipeline))
	return msg
}

// decodeReplay is the inverse of encodeReplay. Every error wraps ErrDamaged or ErrNewerVersion.
func decodeReplay(m *jetstream.RawStreamMsg) (Replay, error) {
	return decodeRequest(m, len(m.Data), decode)
}

// decodeRequest reads a request with a payload of size bytes, whose letter decode reads.
func decodeRequest(m *jetstream.RawStreamMsg, size int, decode func(*jetstream.RawStreamMsg) (Letter, error)) (Replay, error) {
	head := headerReader{header: m.Header}
	r := Replay{
		Stage:          m.Header.Get(headerReplayStage),
		Instance:       head.int(headerReplayInstance),
		LetterSequence: head.uint(headerLetterSequence),
		Sequence:       m.Sequence,
	}
	pipeline, _, _ := strings.Cut(m.Subject, ".")
	asLetter := *m
	var err error
	if r.Letter, err = decodeHeaders(m, size); err == nil {
		asLetter.Subject = r.Letter.origin().subject(pipeline)
		r.Letter, err = decode(&asLetter)
	}
	if err == nil {
		err = head.err
	}
	if err == nil && m.Subject != r.subject(pipeline) {
		err = fmt.Errorf("its headers belong to %s", r.subject(pipeline))
	}
	if err != nil {
		return Replay{}, damaged(m, err)
	}
	r.Letter.Sequence = r.LetterSequence
	return r, nil
}
