package poison

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/stages"
)

// Name is the pipeline's name.
const Name = "poison"

// Config sizes a run. The zero value is ready.
type Config struct {
	Numbers uint64        // default 4000
	Keys    uint64        // default 13
	Room    uint64        // capacity of each channel in messages; default 250
	Pace    time.Duration // what the source takes for ten numbers; default nothing
	Slow    time.Duration // what the fastest stage takes for ten numbers; default 1 ms
	// Hesitation is how long a message waits in tally for its next attempt, while those of other keys overtake it. Some
	// numbers succeed at their third attempt only. Default: a failure restarts the stage, and every number succeeds at
	// once.
	Hesitation time.Duration
	// Attempts is how often a message may fail; default 3. A kill from outside counts as a failure of a message that it
	// meets alone in quarantine, and a number that hesitates fails twice before.
	Attempts int
	Killers  []Killer
	Mended   string // a file; once it is there nothing does harm
	Output   string // the file of numbers
}

// WithDefaults returns the configuration as New uses it.
func (c Config) WithDefaults() Config {
	if c.Numbers == 0 {
		c.Numbers = 4000
	}
	if c.Keys == 0 {
		c.Keys = 13
	}
	if c.Room == 0 {
		c.Room = 250
	}
	if c.Slow == 0 {
		c.Slow = time.Millisecond
	}
	if c.Attempts == 0 {
		c.Attempts = 3
	}
	return c
}

// Key is the key of a number.
func (c Config) Key(number uint64) string { return fmt.Sprintf("k%02d", number%c.Keys) }

// New declares the pipeline.
func New(c Config) *engine.Pipeline {
	c = c.WithDefaults()
	room := engine.Capacity{Messages: c.Room, Bytes: 4 << 20}
	p := engine.New(Name)
	patience := engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond})
	quick := p.With(patience, engine.Attempts(c.Attempts))
	batches := quick.With(engine.BatchSize(64))

	numbers := engine.Source(p, "numbers", c.count).WithCapacity(room)
	sifted := engine.Stage(quick, "sift", engine.On(numbers, c.sift)).WithCapacity(room)
	patient := quick
	if c.Hesitation > 0 {
		patient = quick.With(engine.AttemptDelay(supervise.Backoff{Initial: c.Hesitation, Max: c.Hesitation}))
	}
	tallied := engine.Stage(patient, "tally", engine.On(engine.KeyBy(sifted, c.Key), c.tally)).WithCapacity(room)
	bundled := engine.Stage(batches, "bundle", engine.OnBatch(tallied, c.bundle)).WithCapacity(room)
	stages.FileSink(quick, "file", bundled, c.Output, c.line)
	engine.SinkBatch(batches, "beside", numbers, c.beside)
	return p
}

// Place is the source's state.
type Place struct {
	Next uint64 `json:"next"`
}

func (c Config) count(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
	if err := take(ctx, c.Pace); err != nil {
		return err
	}
	for range 10 {
		if at.Next == c.Numbers {
			return io.EOF
		}
		emit(at.Next)
		at.Next++
	}
	return nil
}

// Sum is the state of every stage: what it has seen.
type Sum struct {
	N   uint64 `json:"n"`
	Sum uint64 `json:"sum"`
}

func (s *Sum) add(number uint64) {
	s.N++
	s.Sum += number
}

func (c Config) sift(ctx context.Context, s *Sum, m engine.Message[uint64], emit engine.Emit[uint64]) error {
	s.add(m.Value)
	emit(m.Value)
	return c.handle(ctx, "sift", m.Value, 10)
}

func (c Config) tally(ctx context.Context, s *Sum, m engine.Message[uint64], emit engine.Emit[uint64]) error {
	s.add(m.Value)
	emit(m.Value)
	if c.Hesitation > 0 && m.Value%31 == 5 && m.Attempt < 3 {
		return errors.New("not yet")
	}
	return c.handle(ctx, "tally", m.Value, 9)
}

func (c Config) bundle(ctx context.Context, s *Sum, batch []engine.Message[uint64], emit engine.Emit[uint64]) error {
	for _, m := range batch {
		s.add(m.Value)
		emit(m.Value)
		if err := c.handle(ctx, "bundle", m.Value, 8); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) beside(ctx context.Context, s *Sum, batch []engine.Message[uint64]) error {
	for _, m := range batch {
		s.add(m.Value)
		if err := c.handle(ctx, "beside", m.Value, 9); err != nil {
			return err
		}
	}
	return nil
}

// line is the format of the file, which knows no error.
func (c Config) line(dst []byte, number uint64) []byte {
	if err := c.handle(context.Background(), "file", number, 7); err != nil {
		panic(err)
	}
	return append(strconv.AppendUint(dst, number, 10), '\n')
}

// handle takes its time, once for so many numbers, and does the harm that a number is to do in a stage.
func (c Config) handle(ctx context.Context, stage string, number, each uint64) error {
	for _, k := range c.Killers {
		if k.Stage == stage && k.Number == number && !c.isMended() {
			_, _ = os.Stdout.WriteString(harm + k.String() + "\n")
			return do(k.Way)
		}
	}
	if number%each == 0 {
		return take(ctx, c.Slow)
	}
	return nil
}

func (c Config) isMended() bool {
	_, err := os.Stat(c.Mended)
	return err == nil
}

// take is work that takes so long.
func take(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
