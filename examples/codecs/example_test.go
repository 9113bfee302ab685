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

// Reading is a value with bytes, which JSON would blow up.
type Reading struct {
	Sensor string `cbor:"s"`
	Raw    []byte `cbor:"r"`
}

// Window is a state that is saved as CBOR, too.
type Window struct {
	Seen  int           `cbor:"n"`
	Every map[int]int64 `cbor:"e"` // seconds by reading; JSON would turn the keys into texts
}

// Readings travel as CBOR, the times made of them as protobuf messages.
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
	}).WithCodec(codecs.CBOR[Reading]())

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
		engine.StateCodec[Window, *timestamppb.Timestamp](codecs.CBOR[Window]()),
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
