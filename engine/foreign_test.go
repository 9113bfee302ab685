package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/doctor"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/patient"
)

const foreignValues = 3000

// invaded is a pipeline of all kinds of stages. Its source goes no further than the limit.
type invaded struct {
	t      *testing.T
	got    *collected[uint64]
	limit  atomic.Uint64
	told   atomic.Int64
	js     jetstream.JetStream
	random *rand.Rand
	config engine.Config

	running []chan error // the newest one last
	stop    context.CancelFunc
	last    *engine.Pipeline
}

// total is the state of a sink: what it has seen.
type total struct{ Count, Sum uint64 }

func newInvaded(t *testing.T, seed uint64) *invaded {
	s, js := external(t)
	v := &invaded{t: t, got: collect[uint64](t), js: js, random: rand.New(rand.NewPCG(seed, 14)), config: testConfig(t, t.TempDir())}
	v.config.NATS.URL = s.ClientURL()
	v.config.CheckpointInterval = 50 * time.Millisecond
	v.config.OnEvent = func(e supervise.Event) {
		if e.Kind == observe.ForeignMessage {
			v.told.Add(1)
		}
	}
	return v
}

func (v *invaded) pipeline() *engine.Pipeline {
	p := engine.New("invaded")
	numbers := engine.Source(p.With(fast), "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
		if at.Next == foreignValues {
			return io.EOF
		}
		for at.Next >= v.limit.Load() {
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		emit(at.Next)
		at.Next++
		return nil
	})
	keyed := engine.KeyBy(numbers, func(n uint64) string { return fmt.Sprint(n % 7) })
	sums := engine.Stage(p.With(fast), "sums", engine.On(keyed, func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		*sum += m.Value
		emit(m.Value)
		return nil
	}))
	engine.Sink(p.With(fast), "total", sums, func(ctx context.Context, t *total, m engine.Message[uint64]) error {
		t.Count, t.Sum = t.Count+1, t.Sum+m.Value
		return v.got.sink(ctx, nil, m)
	})
	return p
}

var invadedStages = []string{"numbers", "sums", "total"}

// begin starts the pipeline, beside one that still runs.
func (v *invaded) begin() {
	ctx, stop := bounded(v.t)
	v.stop, v.last = stop, v.pipeline()
	result := make(chan error, 1)
	go func(p *engine.Pipeline, c engine.Config) { result <- p.Run(ctx, c) }(v.last, v.config)
	v.running = append(v.running, result)
}

// awaitOpen waits until the newest run owns its stages, or is refused.
func (v *invaded) awaitOpen() (refused error) {
	v.t.Helper()
	newest := v.running[len(v.running)-1]
	patient.Within(v.t, "the new owner", func() bool {
		select {
		case refused = <-newest:
			return true
		default:
			return v.last.Status().Stages != nil
		}
	})
	return refused
}

// takeOver starts from a copy of the directory of the one that runs. It checkpoints and trims meanwhile: then the copy may be
// too old, or torn, which is refused, and the next one is not.
func (v *invaded) takeOver() {
	v.t.Helper()
	from := v.config.Dir
	var err error
	for range 50 {
		v.config.Dir = filepath.Join(v.t.TempDir(), "copy")
		if err := copyLive(v.config.Dir, from); err != nil {
			v.t.Fatal(err)
		}
		v.begin()
		if err = v.awaitOpen(); err == nil {
			return
		}
		v.running = v.running[:len(v.running)-1]
	}
	v.t.Fatalf("taking over: %v", err)
}

// ended waits for the oldest run.
func (v *invaded) ended() error {
	result := v.running[0]
	v.running = v.running[1:]
	return <-result
}

// inject publishes something to the subject of a channel: nothing, garbage, or a copy of what is in any channel.
func (v *invaded) inject() {
	v.t.Helper()
	ctx := v.t.Context()
	stage := func() string { return invadedStages[v.random.IntN(len(invadedStages))] }
	subject := "invaded." + stage() + ".0"
	data := []byte("PSTK\x01 is no frame at all")[v.random.IntN(5):]
	switch v.random.IntN(8) {
	case 0:
		data = nil
	case 1:
		subject = "invaded." + stage() + "." + []string{"1", "other"}[v.random.IntN(2)]
	case 2, 3, 4, 5:
		s, err := v.js.Stream(ctx, "invaded+"+stage())
		if err != nil {
			v.t.Fatal(err)
		}
		state := s.CachedInfo().State
		if msg, err := s.GetMsg(ctx, state.FirstSeq+v.random.Uint64N(state.LastSeq-state.FirstSeq+1)); err == nil {
			data = msg.Data
		}
	}
	if _, err := v.js.Publish(ctx, subject, data); err != nil {
		v.t.Fatal(err)
	}
}

// Messages of another client in every channel, at any moment, while the pipeline runs, is stopped, dies and is started
// again, change nothing.
func TestForeignMessagesChangeNothing(t *testing.T) {
	t.Parallel()
	rounds := 24
	if testing.Short() {
		rounds = 4
	}
	v := newInvaded(t, 1)
	v.begin()
	injected := 0
	for round := range rounds {
		v.limit.Store(uint64(foreignValues * (round + 1) / rounds))
		for range 12 {
			if err := v.awaitOpen(); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			v.inject()
			injected++
		}
		if round == rounds-1 {
			break
		}
		patient.Within(t, "the values of the round", func() bool { return uint64(len(v.got.all())) >= v.limit.Load() })
		if round%2 == 0 {
			v.stop()
			if err := v.ended(); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			v.inject()
			injected++
			v.begin()
			continue
		}
		// The one that runs dies, as far as what it leaves goes: another takes over from its files.
		v.takeOver()
		v.limit.Store(uint64(foreignValues * (round + 2) / rounds)) // the one before notices when it commits
		var fenced *engine.FencedError
		if err := v.ended(); !errors.As(err, &fenced) {
			t.Fatalf("round %d: the one before: %v", round, err)
		}
	}
	if err := v.ended(); err != nil {
		t.Fatal(err)
	}
	v.stop()
	got := v.got.all()
	for k, n := range got {
		if n != uint64(k) {
			t.Fatalf("value %d is %d", k, n)
		}
	}
	if len(got) != foreignValues {
		t.Errorf("%d values", len(got))
	}
	var foreign uint64
	for _, s := range v.last.Status().Stages {
		foreign += s.Foreign
	}
	if foreign == 0 || v.told.Load() == 0 {
		t.Errorf("%d messages were injected: the last run counts %d, and %d were told", injected, foreign, v.told.Load())
	}
	if !v.last.Status().Completed {
		t.Errorf("%+v", v.last.Status())
	}
	t.Logf("%d messages of another client in %d rounds", injected, rounds)
}

// The doctor calls them harmless, the directory is sound, and a run goes on from it.
func TestTheDoctorCallsForeignMessagesHarmless(t *testing.T) {
	t.Parallel()
	config := testConfig(t, t.TempDir())
	got := collect[uint64](t)
	wire := func(n uint64, then func(uint64)) *engine.Pipeline {
		p := engine.New("invaded")
		all := count(200, 1)
		numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			if at.Next == n {
				<-ctx.Done()
				return ctx.Err()
			}
			return all(ctx, at, emit)
		})
		engine.Sink(p, "total", numbers, func(ctx context.Context, s *struct{}, m engine.Message[uint64]) error {
			then(m.Offset)
			return got.sink(ctx, s, m)
		})
		return p
	}
	ctx, stop := bounded(t)
	defer stop()
	if err := wire(100, func(offset uint64) {
		if offset == 50 {
			stop()
		}
	}).Run(ctx, config); err != nil {
		t.Fatal(err)
	}
	b, err := broker.Open(t.Context(), broker.Config{Dir: filepath.Join(config.Dir, "jetstream")})
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"invaded.numbers.0", "invaded.numbers.0", "invaded.numbers.other", "invaded.total.0"} {
		if _, err := b.JetStream().PublishMsg(t.Context(), &nats.Msg{Subject: subject, Data: []byte("19 bytes of garbage")}); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	e, err := doctor.Examine(t.Context(), config.ToInspect())
	if err != nil || !e.Sound {
		t.Fatalf("%+v, %v", e, err)
	}
	var harmless []string
	for _, f := range e.Findings {
		if strings.Contains(f.Text, "from another client") && strings.Contains(f.Text, "harmless") {
			harmless = append(harmless, f.Part+": "+f.Text[:1])
		}
	}
	if strings.Join(harmless, ", ") != "channel numbers: 3, channel total: 1" {
		t.Errorf("%q of %+v", harmless, e.Findings)
	}
	ended := run(t, wire(1000, func(uint64) {}), config.Dir)
	if len(got.all()) != 200 || stageStatus(t, ended, "numbers").Foreign == 0 {
		t.Errorf("%d values, %+v", len(got.all()), ended)
	}
}
