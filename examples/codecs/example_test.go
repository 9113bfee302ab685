package codecs_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"penstock/engine"
	"penstock/examples/codecs"
	"penstock/stages"
)

// Reading is a value with bytes: the default, CBOR, keeps them as they are.
type Reading struct {
	Sensor string `json:"sensor"`
	Raw    []byte `json:"raw"`
}

// Window is a state that is saved as JSON, for programs that read it.
type Window struct {
	Seen  int           `json:"seen"`
	Every map[int]int64 `json:"every"` // seconds by reading
}

// Readings travel as CBOR, the times made of them as protobuf messages; the
// state is JSON.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	p := engine.New("codecs")
	readings := engine.Source(p, "readings", func(_ context.Context, n *int, emit engine.Emit[Reading]) error {
		if *n == 3 {
			return io.EOF
		}
		*n++
		emit(Reading{Sensor: "tide", Raw: []byte{0xff, byte(*n)}})
		return nil
	})

	times := engine.Stage(p, "times",
		engine.On(readings, func(_ context.Context, w *Window, m engine.Message[Reading], emit engine.Emit[*timestamppb.Timestamp]) error {
			if w.Every == nil {
				w.Every = map[int]int64{}
			}
			w.Seen++
			w.Every[w.Seen] = 60 * int64(m.Value.Raw[1])
			emit(timestamppb.New(time.Unix(w.Every[w.Seen], 0)))
			return nil
		}),
		engine.StateCodec[Window, *timestamppb.Timestamp](engine.JSON[Window]()),
	).WithCodec(codecs.Proto[*timestamppb.Timestamp]())

	stages.WriterSink(p, "print", times, os.Stdout, func(dst []byte, at *timestamppb.Timestamp) []byte {
		return at.AsTime().AppendFormat(dst, "15:04:05\n")
	})
	if err := p.Run(context.Background(), engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 00:01:00
	// 00:02:00
	// 00:03:00
}
