package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"penstock/cmd/pipeline/internal/render"
	"penstock/engine/redact"
)

// LogFlags say how the log looks.
type LogFlags struct {
	LogLevel  string `enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL" group:"how" help:"Log lines of this level and above: debug, info, warn or error. Default: info."`
	LogFormat string `enum:"text,json" default:"text" placeholder:"FORMAT" group:"how" help:"Log as text, or as one JSON object per line. Default: text; on a terminal in colour (unless $$NO_COLOR is set) and with live progress below."`
}

// style is how the text of the log looks.
type style int

const (
	Plain    style = iota // key=value, for files
	tinted                // for a terminal
	coloured              // the same in colour
)

// StyleOf is the style of a log on a terminal, by what $NO_COLOR says.
func StyleOf(noColor string) style {
	if noColor != "" {
		return tinted
	}
	return coloured
}

// Logger writes to w.
func (f LogFlags) Logger(w io.Writer, style style) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.LogLevel)); err != nil {
		panic(err) // the grammar lets no other through
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redactAttr}
	switch {
	case f.LogFormat == "json":
		return slog.New(slog.NewJSONHandler(jsonEscaper{w}, options))
	case style == Plain:
		return slog.New(slog.NewTextHandler(commandWriter{w}, options))
	}
	return slog.New(escaping{tint.NewTextHandler(commandWriter{w}, &tint.Options{
		Level:       level,
		ReplaceAttr: redactAttr,
		TimeFormat:  "15:04:05.000",
		NoColor:     style == tinted,
	})})
}

// TerminalOf tells whether a file is a terminal that can be drawn on, and how
// large it is at the moment.
func TerminalOf(file *os.File, kind string) func() (width, height int, yes bool) {
	return func() (int, int, bool) {
		width, height, err := term.GetSize(int(file.Fd()))
		return width, height, err == nil && kind != "dumb" && width > 0 && height > 0
	}
}

// redactAttr hides passwords in texts, most of which are users' errors.
func redactAttr(_ []string, a slog.Attr) slog.Attr {
	switch value := a.Value.Resolve(); value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(redact.Text(value.String()))
	case slog.KindAny:
		if err, ok := value.Any().(error); ok {
			a.Value = slog.StringValue(redact.Text(err.Error()))
		}
	}
	return a
}

// jsonEscaper writes JSON, a record a call, without what would steer a
// terminal and JSON lets through.
type jsonEscaper struct{ w io.Writer }

func (e jsonEscaper) Write(line []byte) (int, error) {
	if _, err := e.w.Write(render.EscapeJSON(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// escaping makes every text in a record safe for a terminal. tint writes
// messages as they are, and turns an escaped escape character back into one.
type escaping struct{ slog.Handler }

// Handle passes the record on.
func (h escaping) Handle(ctx context.Context, r slog.Record) error {
	safe := slog.NewRecord(r.Time, r.Level, escapeLog(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		safe.AddAttrs(escapeAttr(a))
		return true
	})
	return h.Handler.Handle(ctx, safe)
}

// WithAttrs escapes these, too.
func (h escaping) WithAttrs(attrs []slog.Attr) slog.Handler {
	safe := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		safe[i] = escapeAttr(a)
	}
	return escaping{h.Handler.WithAttrs(safe)}
}

// WithGroup keeps escaping.
func (h escaping) WithGroup(name string) slog.Handler {
	return escaping{h.Handler.WithGroup(escapeLog(name))}
}

func escapeAttr(a slog.Attr) slog.Attr {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindString:
		value = slog.StringValue(escapeLog(value.String()))
	case slog.KindAny:
		value = slog.StringValue(escapeLog(fmt.Sprint(value.Any())))
	case slog.KindGroup:
		group := make([]slog.Attr, len(value.Group()))
		for i, member := range value.Group() {
			group[i] = escapeAttr(member)
		}
		value = slog.GroupValue(group...)
	}
	return slog.Attr{Key: escapeLog(a.Key), Value: value}
}

func escapeLog(text string) string {
	return strings.ReplaceAll(render.Escape(text), `\x1b`, `\u001b`)
}
