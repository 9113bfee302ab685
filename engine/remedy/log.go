package remedy

import (
	"context"
	"log/slog"
)

// Handler returns a log handler that writes remedies in the words of the program:
// those that errors name, and those that are attributes of their own.
func Handler(next slog.Handler, words Words) slog.Handler { return &handler{next, words} }

type handler struct {
	slog.Handler
	words Words
}

// Handle passes the record on.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	said := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		said.AddAttrs(h.say(a))
		return true
	})
	return h.Handler.Handle(ctx, said)
}

// WithAttrs has these in the words of the program too.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	said := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		said[i] = h.say(a)
	}
	return &handler{h.Handler.WithAttrs(said), h.words}
}

// WithGroup keeps the words.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.Handler.WithGroup(name), h.words}
}

func (h *handler) say(a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch value := a.Value.Any().(type) {
	case Remedy:
		a.Value = slog.StringValue(h.words.say(value))
	case error:
		if len(Of(value)) > 0 {
			a.Value = slog.StringValue(Explain(value, h.words))
		}
	}
	return a
}
