package engine_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/trace"
)

// A source that polls finds the span of the frame that its messages go into, also
// when the frame before is sent while it polls.
func TestSlowSourceWorksForItsFrame(t *testing.T) {
	t.Parallel()
	p := engine.New("slow")
	tracer := &tracer{sent: make(chan struct{}, 5)}
	numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == 5 {
			return io.EOF
		}
		works(ctx, at.Next) // at once, when the one before is not yet sent or just being sent
		if at.Next > 0 {
			if err := next(ctx, tracer.sent); err != nil { // no commit is under way when the next call begins
				return err
			}
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	engine.Sink(p, "sink", numbers, func(ctx context.Context, _ *struct{}, m engine.Message[uint64]) error {
		works(ctx, m.Value)
		return nil
	})
	if err := tracer.run(t, p, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for _, s := range tracer.of("numbers", trace.Committed) {
		if out := s.ends[0].Out; out > 1 || uint64(len(s.working)) != out {
			t.Errorf("a frame of %d messages, for which the calls %v worked", out, s.working)
		}
	}
	var worked int
	for _, s := range tracer.of("sink", trace.Committed) {
		if uint64(len(s.working)) != s.ends[0].In {
			t.Errorf("a frame of %d messages, for which the calls %v worked", s.ends[0].In, s.working)
		}
		worked += len(s.working)
	}
	if worked != 5 {
		t.Errorf("%d calls had a span", worked)
	}
}

// A function that hangs leaves a span that says so, and no second one.
func TestSpanOfAFunctionThatHangs(t *testing.T) {
	t.Parallel()
	p := engine.New("hanging")
	numbers := engine.Source(p, "numbers", count(5, 5))
	release := make(chan struct{})
	defer close(release)
	engine.Sink(p.With(fast, engine.Deadline(50*time.Millisecond), engine.StopTimeout(time.Millisecond)), "sink", numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
		if m.Value == 3 && m.Attempt == 1 {
			<-release
		}
		return nil
	})
	tracer := &tracer{}
	if err := tracer.run(t, p, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	undone := tracer.of("sink", trace.Undone)
	if len(undone) != 1 || undone[0].ends[0].Err == nil {
		t.Errorf("%d spans are undone", len(undone))
	}
	tracer.once(t, stageStatus(t, p.Status(), "sink"))
}

// Of a commit whose answer the run does not wait for it is not known what became of it.
func TestSpanOfACommitWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	ctx, stop := bounded(t)
	defer stop()
	server, _ := external(t)
	p := engine.New("unanswered")
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(5, 5)), ignore[struct{}, uint64])
	tracer := &tracer{sends: func(stage string) {
		if stage == "sink" {
			server.Shutdown()
			stop()
		}
	}}
	config := quiet(t.TempDir())
	config.NATS.URL, config.Tracer, config.DrainTimeout = server.ClientURL(), tracer, time.Millisecond
	_ = p.Run(ctx, config) // what the end makes of a server that is away is not the point
	unknown := tracer.of("sink", trace.Unknown)
	if len(unknown) != 1 || len(tracer.of("sink", trace.Committed)) != 0 {
		t.Errorf("%d spans are unknown: %+v", len(unknown), tracer.spans)
	}
}

// A dead letter that comes back is in the span of the frame that takes it, which
// leads nowhere.
func TestSpanOfAReplay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wire := func(broken bool) *engine.Pipeline {
		p := engine.New("replay")
		engine.Sink(p.With(fast), "sink", engine.Source(p, "numbers", count(20, 20)), func(ctx context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if broken && m.Value < 5 {
				return engine.Reject(errPoison)
			}
			works(ctx, m.Value)
			return nil
		})
		return p
	}
	rejecting := &tracer{}
	if err := rejecting.run(t, wire(true), dir); err != nil {
		t.Fatal(err)
	}
	letters := 0
	for _, s := range rejecting.of("sink", trace.Committed) {
		letters += s.ends[0].DeadLetters
	}
	if n := replayAll(t, dir); n != 5 || letters != 5 {
		t.Fatalf("%d letters in spans, %d asked for", letters, n)
	}
	replaying := &tracer{}
	if err := replaying.run(t, wire(false), dir); err != nil {
		t.Fatal(err)
	}
	var in, worked uint64
	for _, s := range replaying.of("sink", trace.Committed) {
		in += s.ends[0].In
		worked += uint64(len(s.working))
		if len(s.took) > 0 {
			t.Errorf("took from %v", s.took)
		}
	}
	if in != 5 || worked != 5 {
		t.Errorf("spans of %d messages, %d calls", in, worked)
	}
}

// What was held back is in the span of the frame that takes it, and only there;
// and a span leads to just the frames that its messages came in.
func TestSpansLeadToWhatTheyTook(t *testing.T) {
	t.Parallel()
	const n, beat = 50, 1000 // what stands for a beat
	tracer := &tracer{sent: make(chan struct{}, n)}
	after := func(signals <-chan struct{}) engine.SourceFunc[Place, uint64] {
		return func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			if at.Next > 0 {
				if err := next(ctx, signals); err != nil {
					return err
				}
			}
			return count(n, 1)(ctx, at, emit)
		}
	}
	p := engine.New("held")
	taken := make(chan struct{}, n)
	numbers := engine.Source(p, "numbers", after(tracer.sent)) // a frame each
	beats := engine.Source(p, "beats", after(taken))
	engine.Stage(p, "worker",
		engine.On(beats, func(ctx context.Context, credit *int, m engine.Message[uint64], _ engine.Emit[engine.None]) error {
			*credit++
			works(ctx, beat+m.Offset)
			return nil
		}),
		engine.On(numbers, func(ctx context.Context, credit *int, m engine.Message[uint64], _ engine.Emit[engine.None]) error {
			if *credit == 0 {
				return engine.Hold
			}
			*credit--
			works(ctx, m.Offset)
			taken <- struct{}{}
			return nil
		}))
	if err := tracer.run(t, p, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	frames := map[uint64]string{} // of each message
	for stage, offset := range map[string]uint64{"numbers": 0, "beats": beat} {
		for _, s := range tracer.of(stage, trace.Committed) {
			for range s.ends[0].Out {
				frames[offset] = fmt.Sprintf("%s %s-%d %s.0", stage, stage, s.number, stage)
				offset++
			}
		}
	}
	var in uint64
	for _, s := range tracer.of("worker", trace.Committed) {
		in += s.ends[0].In
		want := map[string]bool{}
		for _, offset := range s.working {
			want[frames[offset]] = true
		}
		got := map[string]bool{}
		for _, from := range s.took {
			got[from] = true
		}
		if !maps.Equal(got, want) || len(s.took) > len(s.working) {
			t.Errorf("commit %d took from %v, want %v", s.ends[0].Commit, s.took, want)
		}
	}
	if in != 2*n {
		t.Errorf("spans of %d messages", in)
	}
}

// Without a tracer, frames take nothing along and contexts are what they were;
// with one, headers hold what it says.
func TestWhatIsInTheHeaders(t *testing.T) {
	t.Parallel()
	for name, tracer := range map[string]trace.Tracer{"off": nil, "on": &tracer{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, js := external(t)
			conn := js.Conn()
			sub, err := conn.SubscribeSync("headers.>")
			if err == nil {
				err = conn.Flush()
			}
			if err != nil {
				t.Fatal(err)
			}
			p := engine.New("headers")
			engine.Sink(p, "sink", engine.Source(p, "numbers", count(5, 1)), collect[uint64](t).sink)
			config := quiet(t.TempDir())
			config.NATS.URL, config.Tracer = conn.ConnectedUrl(), tracer
			if err := runBounded(t, p, config); err != nil {
				t.Fatal(err)
			}
			if err := conn.Publish("headers.end", nil); err != nil {
				t.Fatal(err)
			}
			frames, traced := 0, 0
			for {
				msg, err := sub.NextMsgWithContext(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if msg.Subject == "headers.end" {
					break
				}
				if msg.Header.Get(jetstream.ExpectedStreamHeader) != "" {
					continue // asks whether it may publish, and is never stored
				}
				if strings.HasSuffix(msg.Subject, ".own") || msg.Header.Get(jetstream.ExpectedLastSubjSeqSubjHeader) != "" {
					continue // claims and seals
				}
				frames++
				if msg.Header.Get("traceparent") != "" && msg.Header.Get("tracestate") != "" {
					traced++
				} else if len(msg.Header) != 1 {
					t.Errorf("headers %v", msg.Header)
				}
			}
			if want := map[bool]int{false: 0, true: frames - 2}[tracer != nil]; frames < 4 || traced != want { // fences take nothing along
				t.Errorf("%d of %d frames have a trace, want %d", traced, frames, want)
			}
		})
	}
}
