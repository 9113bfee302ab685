package connector_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/stages/connector"
)

// list reads a list, which stands for a system outside that can be read from any place on.
type list struct{ values []string }

// place is where it is.
type place struct{ Next int }

func (l *list) About() connector.About {
	return connector.About{Name: "list source", Guarantee: connector.ExactlyOnce, Says: "The list does not change.", Place: "an index"}
}

func (l *list) Open(context.Context) error { return nil } // a real one connects here

func (l *list) Read(_ context.Context, at *place, emit engine.Emit[string]) error {
	if at.Next == len(l.values) {
		return io.EOF
	}
	emit(l.values[at.Next])
	at.Next++
	return nil
}

func (l *list) Close() error { return nil }

// A source of one's own: its place is the state of the stage, and all that it needs to go on.
func ExampleSource() {
	p := engine.New("lists")
	in := connector.Source(p, "in", func() connector.Reader[place, string] { return &list{[]string{"a", "b"}} })
	engine.Sink(p, "print", in, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		fmt.Println(m.Offset, m.Value)
		return nil
	})
	config := engine.Config{Logger: slog.New(slog.DiscardHandler)}
	enginetest.NewMemory().In(&config)
	if err := p.Run(context.Background(), config); err != nil {
		fmt.Println(err)
	}
	fmt.Println((&list{}).About().Guarantee)
	// Output:
	// 0 a
	// 1 b
	// exactly once
}
