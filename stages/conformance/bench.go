package conformance

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/faultpoint"
	"penstock/engine/inspect"
	"penstock/engine/observe"
	"penstock/internal/testing/child"
	"penstock/stages/connector"
)

// patience is how long a test waits for what takes a second on an idle machine.
const patience = 3 * time.Minute

// bench is where one case is run: a side, and a pipeline that is run there in one process after the other.
type bench struct {
	testing.TB
	connector Connector
	guarantee connector.Guarantee
	side      Side
	secret    string
	order     order
	random    *rand.Rand
}

func newBench(t testing.TB, c Connector, g connector.Guarantee, side Side, secret string) *bench {
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PENSTOCK_CONFORMANCE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PENSTOCK_CONFORMANCE_SEED=%q: %v", text, err)
		}
	}
	t.Logf("seed %d", seed)
	return &bench{
		TB: t, connector: c, guarantee: g, side: side, secret: secret, random: rand.New(rand.NewPCG(seed, 1)),
		order: order{Connector: c.name(), Address: side.Address(), Dir: filepath.Join(dir, "data"), Output: filepath.Join(dir, "output")},
	}
}

// kills is how often a process is killed at random moments.
func (b *bench) kills() int {
	b.Helper()
	text := os.Getenv("PENSTOCK_CONFORMANCE_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("PENSTOCK_CONFORMANCE_KILLS=%q is no number of kills", text)
	}
	return n
}

// hides fails when a text has the secret.
func (b *bench) hides(what, text string) {
	b.Helper()
	if b.secret != "" && strings.Contains(text, b.secret) {
		b.Errorf("%s has the secret:\n%s", what, text)
	}
}

// start runs the pipeline in a process of its own. point is where it kills itself, "" nowhere.
func (b *bench) start(o order, point string) *child.Child {
	b.Helper()
	cmd, err := child.Self()
	if err != nil {
		b.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		b.Fatal(err)
	}
	cmd.Env = append(os.Environ(), childVariable+"="+string(text), faultpoint.Variable+"="+point)
	return child.StartFor(b.TB, cmd, nil)
}

// ends waits for the end of a process, and says whether it was a good one. One that was not killed is an error.
func (b *bench) ends(c *child.Child) bool {
	b.Helper()
	code := c.Code(b.TB)
	b.hides("the log of the process", c.Story())
	if code > 0 {
		b.Fatalf("the process failed with %d\n%s", code, c.Story())
	}
	return code == 0
}

// complete runs the pipeline to its end, in a process of its own.
func (b *bench) complete() {
	b.Helper()
	c := b.start(b.order, "")
	if !b.ends(c) {
		b.Fatalf("the process was killed\n%s", c.Story())
	}
}

// dieAt runs the pipeline to a fault point. reached is false when it came to its end instead.
func (b *bench) dieAt(point, stage string, passage int) (reached bool) {
	b.Helper()
	return !b.ends(b.start(b.order, fmt.Sprintf("%s@%s:%d", point, stage, passage)))
}

// output are the values that a source's pipeline has kept.
func (b *bench) output() (values [][]byte) {
	b.Helper()
	data, err := os.ReadFile(b.order.Output)
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		value, err := hex.DecodeString(string(bytes.TrimSuffix(line, []byte("\n"))))
		if err != nil {
			b.Fatalf("the output is damaged: %v", err)
		}
		values = append(values, value)
	}
	return values
}

// must fails when what came is not what was sent.
func (b *bench) must(got, want [][]byte) {
	b.Helper()
	if err := compare(b.guarantee, got, want); err != nil {
		b.Fatal(err)
	}
}

// letters asks for a replay of all dead letters of the stopped pipeline, which are so many.
func (b *bench) replay(want int) {
	b.Helper()
	inspector, err := inspect.Open(b.Context(), engine.Config{Dir: b.order.Dir}.ToInspect())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = inspector.Close() }()
	letters, _, err := inspector.DeadLetters(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	err = letters.SelectInOrder(b.Context(), dlq.Filter{}, func(l dlq.Letter) error {
		n++
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		b.hides("a dead letter", string(text))
		return letters.Replay(b.Context(), l, dlq.ReplayOptions{})
	})
	if err != nil || n != want {
		b.Fatalf("%d dead letters, want %d: %v", n, want, err)
	}
}

// inside is the pipeline under way in this process.
type inside struct {
	*bench
	pipeline *engine.Pipeline
	done     chan error
}

// runInside starts the pipeline in this process. It ends with the test.
func (b *bench) runInside() *inside {
	b.Helper()
	in := &inside{bench: b, pipeline: b.order.pipeline(b.connector), done: make(chan error, 1)}
	log := &lines{}
	ctx, cancel := context.WithCancel(b.Context())
	config := b.order.config(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	go func() { in.done <- in.pipeline.Run(ctx, config) }()
	b.Cleanup(func() {
		cancel()
		if err := <-in.done; err != nil && !b.Failed() {
			b.Errorf("the pipeline: %v", err)
		}
		b.hides("the log", log.String())
		if b.Failed() {
			b.Log(log.String())
		}
	})
	return in
}

// end waits for the end of the pipeline.
func (in *inside) end() {
	in.Helper()
	select {
	case err := <-in.done:
		in.done <- nil
		if err != nil {
			in.hides("the error", err.Error())
			in.Fatalf("the pipeline: %v", err)
		}
	case <-time.After(patience):
		in.Fatalf("the pipeline does not end: %+v", in.pipeline.Status())
	}
}

// status is that of the stage that is tested.
func (in *inside) status(stage string) observe.StageStatus {
	status := in.pipeline.Status()
	text, err := json.Marshal(status)
	if err != nil {
		in.Fatal(err)
	}
	in.hides("the status", string(text))
	for _, s := range status.Stages {
		if s.Name == stage {
			return s
		}
	}
	return observe.StageStatus{}
}

// await waits until something is so of the stage that is tested.
func (in *inside) await(what string, is func(observe.StageStatus) bool) {
	in.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !is(in.status(tested)) {
		select {
		case <-look.C:
		case err := <-in.done:
			in.done <- nil
			in.Fatalf("the pipeline ended (%v), and was never %s", err, what)
		case <-limit.C:
			in.Fatalf("it was never %s: %+v", what, in.status(tested))
		}
	}
}

// lines keep a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to it.
func (l *lines) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(data)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
