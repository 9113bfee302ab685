package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"penstock/engine/observe"
	"penstock/internal/format"
)

// A recording is a text of JSON values, one a line: first a recordingHead, then
// samples and events as they came. The page writes and reads the same.

// recordingFormat and recordingVersion are in its first line.
const (
	recordingFormat  = "penstock-telemetry"
	recordingVersion = format.Recording
)

type recordingHead struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	Graph   observe.Graph `json:"graph"`
}

type recordingLine struct {
	Sample *Sample `json:"sample,omitempty"`
	Event  *Event  `json:"event,omitempty"`
}

// ErrRecording says that a file is no recording.
var ErrRecording = errors.New("not a recording of the telemetry")

// WriteRecording writes samples and events, each in its order, merged by time.
func WriteRecording(out io.Writer, g observe.Graph, samples []Sample, events []Event) error {
	buffered := bufio.NewWriter(out)
	lines := json.NewEncoder(buffered)
	err := lines.Encode(recordingHead{recordingFormat, recordingVersion, g})
	for s, e := 0, 0; err == nil && (s < len(samples) || e < len(events)); {
		if e == len(events) || s < len(samples) && samples[s].Time.Before(events[e].Time) {
			err = lines.Encode(recordingLine{Sample: &samples[s]})
			s++
			continue
		}
		err = lines.Encode(recordingLine{Event: &events[e]})
		e++
	}
	return errors.Join(err, buffered.Flush())
}

// recordingLineMost bounds a line of a recording, in bytes.
const recordingLineMost = 16 << 20

// CheckRecording reads a recording to its end, and says how many samples it has
// and from when to when they are. It returns an error that wraps ErrRecording for
// what is none.
func CheckRecording(in io.Reader) (samples int, from, to time.Time, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, recordingLineMost)
	var head recordingHead
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head.Format != recordingFormat {
		return 0, from, to, errors.Join(fmt.Errorf("%w: its first line is not the header of a recording", ErrRecording), lines.Err())
	}
	if head.Version > recordingVersion {
		return 0, from, to, format.Newer("the recording", uint64(head.Version), recordingVersion)
	}
	if head.Version < 1 {
		return 0, from, to, fmt.Errorf("%w: its first line says version %d", ErrRecording, head.Version)
	}
	for number := 2; lines.Scan(); number++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var line recordingLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return 0, from, to, fmt.Errorf("%w: line %d: %w", ErrRecording, number, err)
		}
		if line.Sample == nil {
			continue
		}
		if to = line.Sample.Time; samples == 0 {
			from = to
		}
		samples++
	}
	if err := lines.Err(); err != nil {
		return 0, from, to, fmt.Errorf("%w: %w", ErrRecording, err)
	}
	if samples == 0 {
		return 0, from, to, fmt.Errorf("%w: it has no samples", ErrRecording)
	}
	return samples, from, to, nil
}
