package dlqcmd

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
	"penstock/engine/redact"
)

// Bounds of the table of letters.
const (
	pageRows = 256 // that the widths of columns are made for at once
	keyRunes = 24
)

var letterColumns = []string{"id", "stage", "reason", "round", "attempts", "age", "key", "error"}

// lettersTable writes letters as lines of a table, page by page: columns only
// grow from one page to the next.
type lettersTable struct {
	out    *bufio.Writer
	width  int // of the terminal
	now    func() time.Time
	page   int
	widths []int
	rows   [][]string
	headed bool
}

func newLettersTable(w io.Writer, width int) *lettersTable {
	return &lettersTable{out: bufio.NewWriterSize(w, 32<<10), width: width, now: time.Now, page: pageRows, widths: make([]int, len(letterColumns))}
}

// add adds a letter. It is written when the page is full.
func (t *lettersTable) add(l dlq.Letter) error {
	if t.rows = append(t.rows, letterRow(l, t.now())); len(t.rows) < t.page {
		return nil
	}
	return t.flush()
}

// flush writes what there is. Without letters it writes nothing at all.
func (t *lettersTable) flush() error {
	if len(t.rows) == 0 {
		return t.out.Flush()
	}
	if !t.headed {
		t.headed = true
		t.rows = append([][]string{letterColumns}, t.rows...)
	}
	for _, row := range t.rows {
		for i, text := range row {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, row := range t.rows {
		fmt.Fprintln(t.out, t.line(row))
	}
	t.rows = t.rows[:0]
	return t.out.Flush()
}

// line fits a row to the terminal, but for the ID: that is there to be copied.
func (t *lettersTable) line(row []string) string {
	var b strings.Builder
	for i, text := range row {
		padding := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(text))
		if i > 0 {
			b.WriteString("  ")
		}
		switch letterColumns[i] {
		case "round", "attempts", "age":
			b.WriteString(padding + text)
		case "error":
			b.WriteString(text)
		default:
			b.WriteString(text + padding)
		}
	}
	return render.Cut(strings.TrimRight(b.String(), " "), max(t.width, utf8.RuneCountInString(row[0])+3))
}

// letterRow is a letter as cells, none of which can steer a terminal.
func letterRow(l dlq.Letter, now time.Time) []string {
	key := render.Escape(l.Key)
	if utf8.RuneCountInString(key) > keyRunes {
		key = string([]rune(key)[:keyRunes-1]) + "…"
	}
	return []string{
		render.Escape(l.ID()), render.Escape(l.Stage), render.Escape(string(l.Reason)), strconv.Itoa(l.Round), strconv.Itoa(attemptsOf(l)),
		render.Age(now.Sub(l.At)), key, render.Escape(firstLine(redact.Text(failureOf(l)))),
	}
}

// panicPrefix is how a panic begins as an error.
const panicPrefix = "panic: "

func attemptsOf(l dlq.Letter) int { return len(l.Attempts) + l.AttemptsOmitted }

// failureOf is what went wrong: the error, or else the value of the panic.
func failureOf(l dlq.Letter) string {
	if l.Error == "" || l.Error == panicPrefix+l.Panic { // beside the reason
		return l.Panic
	}
	return l.Error
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	return strings.TrimRight(text, "\r")
}
