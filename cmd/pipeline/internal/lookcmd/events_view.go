package lookcmd

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"penstock/cmd/pipeline/internal/render"
	"penstock/cmd/pipeline/internal/wire"
	"penstock/engine/observe"
	"penstock/engine/redact"
)

// eventsView is how events are shown.
type eventsView int

const (
	eventsTable  eventsView = iota
	eventsStacks            // the table, with the stacks of panics
	eventsJSON              // one object a line
)

// write writes the events in their order. Errors come from users' code and
// from servers: they may hold anything, and a URL with its password.
func (v eventsView) write(w io.Writer, events []observe.StageEvent) error {
	if v == eventsJSON {
		return wire.WriteEvents(w, events)
	}
	out := bufio.NewWriterSize(w, 32<<10)
	rows := [][]string{{"time", "stage", "event", "reason", "restart", "delay", "error"}}
	for _, e := range events {
		rows = append(rows, eventRow(e))
	}
	for i, line := range render.Table(rows, math.MaxInt) {
		fmt.Fprintln(out, line)
		if v == eventsStacks && i > 0 {
			writeStack(out, events[i-1].Stack)
		}
	}
	return out.Flush()
}

// eventRow is a line of the table. What is no failure tells its detail where
// the others tell the error.
func eventRow(e observe.StageEvent) []string {
	var restart, delay string
	if e.Restart > 0 {
		restart = strconv.Itoa(e.Restart)
	}
	if e.Delay > 0 {
		delay = e.Delay.String()
	}
	text := e.Error
	if text == "" {
		text = e.Detail
	}
	text, _, _ = strings.Cut(text, "\n")
	return []string{e.Time.Local().Format(render.Time), render.Escape(e.Stage), render.Escape(e.Kind), render.Escape(e.Reason), restart, delay, render.Escape(redact.Text(text))}
}

func writeStack(out io.Writer, stack string) {
	if stack == "" {
		return
	}
	for line := range strings.Lines(redact.Text(stack)) {
		line = strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\t", "    ")
		fmt.Fprintln(out, strings.TrimRight("    "+render.Escape(line), " "))
	}
}
