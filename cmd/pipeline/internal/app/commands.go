package app

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"

	"penstock/cmd/pipeline/internal/render"
	"penstock/internal/hint"
)

// commandWriter writes a log as text, a record a call. A text that has to be quoted in it, and is a command with an
// apostrophe, stands in backquotes as it is: the log's quoting on top of the shell's is nothing that can be copied.
type commandWriter struct{ w io.Writer }

// escaped is an apostrophe within a word of a command, as the log quotes it.
var escaped = []byte(strings.ReplaceAll(hint.Apostrophe, `\`, `\\`))

func (c commandWriter) Write(line []byte) (int, error) {
	out := line
	if bytes.Contains(line, escaped) {
		out = unquoted(line)
	}
	if _, err := c.w.Write(out); err != nil {
		return 0, err
	}
	return len(line), nil
}

// value is where a quoted value begins, behind its key, which may have a colour.
var value = regexp.MustCompile(`=(?:\x1b\[0m)?"`)

func unquoted(line []byte) []byte {
	var out bytes.Buffer
	for {
		at := value.FindIndex(line)
		if at == nil {
			out.Write(line)
			return out.Bytes()
		}
		begin := at[1] - 1
		out.Write(line[:begin])
		line = line[begin:]
		quoted, _ := strconv.QuotedPrefix(string(line)) // "": it is a piece of a message
		typed, ok := asTyped(quoted)
		if !ok {
			quoted, typed = `"`, `"`
		}
		line = line[len(quoted):]
		out.WriteString(typed)
	}
}

// asTyped is a quoted command in backquotes, if it is one that the quoting changes and that is safe to show.
func asTyped(quoted string) (text string, ok bool) {
	text, err := strconv.Unquote(quoted)
	ok = err == nil && strings.Contains(text, hint.Apostrophe) && strconv.CanBackquote(text) && render.Escape(text) == text
	return "`" + text + "`", ok
}
