package dlqcmd

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
	"penstock/internal/counted"
)

// How much of a value is shown, unless all of it is asked for.
const (
	shownText  = 4 << 10 // bytes
	shownLines = 60
	shownHex   = 512 // bytes
)

// letterView shows a letter to people, in lines that cannot steer a terminal.
type letterView struct {
	letter dlq.Letter
	full   bool
}

func (v letterView) write(w io.Writer) error {
	out := bufio.NewWriterSize(w, 32<<10)
	v.writeFacts(out)
	v.writeFailure(out)
	v.writeValue(out, "value", v.letter.Value, "--full shows all, --raw writes them as they are")
	if v.letter.Original != nil {
		v.writeValue(out, "original value, which a replay replaced", v.letter.Original, "--full shows all")
	}
	return out.Flush()
}

func (v letterView) writeFacts(out io.Writer) {
	l := v.letter
	fact(out, "id", l.ID())
	fact(out, "pipeline", l.Pipeline)
	if l.Unreadable {
		fact(out, "written", fmt.Sprintf("%s, %s ago", shownTime(l.At), render.Age(time.Since(l.At))))
		fact(out, "reason", "not readable as a dead letter: it can only be discarded")
		return
	}
	fact(out, "stage", fmt.Sprintf("%s, instance %d", l.Stage, l.Instance))
	if l.To != "" {
		fact(out, "failed in", l.To+" (a replay sent it there)")
	}
	fact(out, "input", fmt.Sprintf("%s, instance %d, offset %d", l.Input, l.InputInstance, l.Offset))
	fact(out, "key", l.Key)
	fact(out, "message time", shownTime(l.Time))
	fact(out, "written", fmt.Sprintf("%s, %s ago", shownTime(l.At), render.Age(time.Since(l.At))))
	fact(out, "by version", l.Version)
	fact(out, "reason", string(l.Reason))
	fact(out, "round", strconv.Itoa(l.Round))
	fact(out, "attempts", strconv.Itoa(attemptsOf(l)))
	if l.Edited {
		fact(out, "edited", "yes: a replay replaced the value")
	}
}

// fact is a line about something that is known.
func fact(out io.Writer, name, text string) {
	if text != "" {
		fmt.Fprintf(out, "%-13s %s\n", name, render.Escape(text))
	}
}

func (v letterView) writeFailure(out io.Writer) {
	l := v.letter
	if l.Error != panicPrefix+l.Panic && l.Error != l.Panic {
		writeBlock(out, "error", l.Error)
	}
	writeBlock(out, "panic", l.Panic)
	var lines []string
	for _, c := range l.Chain {
		lines = append(lines, render.Escape(c))
	}
	if len(lines) == 1 && strings.HasSuffix(l.Chain[0], l.Error) { // which says no more
		lines = nil
	}
	writeLines(out, "error chain, outermost first", lines)

	lines = nil
	for i, a := range l.Attempts {
		lines = append(lines, shownTime(a.Time)+"  "+render.Escape(firstLine(a.Error)))
		if i == 0 && l.AttemptsOmitted > 0 {
			lines = append(lines, fmt.Sprintf("… %d left out", l.AttemptsOmitted))
		}
	}
	writeLines(out, "attempts", lines)

	lines = nil
	for i, r := range l.History {
		line := fmt.Sprintf("round %d  %s  %s after %s", l.Round-len(l.History)+i, shownTime(r.At), render.Escape(string(r.Reason)), counted.Things(r.Attempts, "attempt"))
		if r.To != "" {
			line += " in " + render.Escape(r.To)
		}
		lines = append(lines, line+"  "+render.Escape(firstLine(r.Error)))
	}
	writeLines(out, "earlier rounds", lines)
	writeBlock(out, "stack", l.Stack)
}

// writeBlock writes text of several lines below a heading.
func writeBlock(out io.Writer, heading, text string) {
	var lines []string
	for line := range strings.Lines(strings.TrimRight(text, "\r\n")) {
		line = strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\t", "    ")
		lines = append(lines, render.Escape(line))
	}
	writeLines(out, heading, lines)
}

func writeLines(out io.Writer, heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", heading)
	for _, line := range lines {
		fmt.Fprintln(out, strings.TrimRight("    "+line, " "))
	}
}

// writeValue writes a value below a heading. rest says how to see what is left out.
func (v letterView) writeValue(out io.Writer, heading string, value []byte, rest string) {
	codec := cmp.Or(v.letter.Codec, "unknown")
	fmt.Fprintf(out, "\n%s, %s, codec %s\n", heading, counted.Things(len(value), "byte"), render.Escape(codec))
	if len(value) == 0 {
		return
	}
	omitted := 0
	text, readable := valueText(v.letter.Codec, value)
	if readable {
		omitted = v.writeText(out, text)
	} else {
		omitted = v.writeHex(out, value)
	}
	if omitted > 0 {
		fmt.Fprintf(out, "    … and %s more: %s\n", counted.Things(omitted, "byte"), rest)
	}
}

func (v letterView) writeText(out io.Writer, text string) (omitted int) {
	if !v.full {
		text, omitted = head(text)
	}
	for line := range strings.Lines(text) {
		fmt.Fprintln(out, "    "+render.Escape(strings.TrimSuffix(line, "\n")))
	}
	return omitted
}

func (v letterView) writeHex(out io.Writer, value []byte) (omitted int) {
	shown := value
	if !v.full && len(shown) > shownHex {
		shown = shown[:shownHex]
	}
	for line := range strings.Lines(hex.Dump(shown)) {
		fmt.Fprint(out, "    "+line)
	}
	return len(value) - len(shown)
}

// head is the beginning of a text, and how many bytes are left out.
func head(text string) (shown string, omitted int) {
	end := min(len(text), shownText)
	for back := 0; back < utf8.UTFMax-1 && end > 0 && end < len(text) && !utf8.RuneStart(text[end]); back++ {
		end--
	}
	shown = text[:end]
	at := 0
	for range shownLines {
		next := strings.IndexByte(shown[at:], '\n')
		if next < 0 {
			return shown, len(text) - len(shown)
		}
		at += next + 1
	}
	return shown[:at], len(text) - at
}

func shownTime(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Local().Format(render.Time)
}
