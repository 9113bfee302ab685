package fizzbuzz

import (
	"context"
	"fmt"
	"io"
	"time"

	"penstock/engine"
	"penstock/stages"
)

// What fails on purpose.
const (
	failingNumber = 12 // the generator's, once
	failingBeat   = 7  // the heartbeat's, once; the first beat is 1
	poisonNumber  = 33 // the worker's, at every try
	poisonWord    = 41 // the logger's, at every try
)

// Count is the generator's state.
type Count struct {
	Next uint64 `json:"next"`
}

// generate emits one number a call, so that each is a step of its own which
// may fail and be tried again.
func (c Config) generate(ctx context.Context, count *Count, emit engine.Emit[uint64]) error {
	if count.Next >= c.Beats {
		return io.EOF
	}
	if c.Faults == FaultsOn && count.Next == failingNumber && engine.Attempt(ctx) == 1 {
		panic(fmt.Sprintf("the generator fails on purpose, once, before number %d", failingNumber))
	}
	emit(count.Next)
	count.Next++
	return nil
}

// Beats is the heartbeat's state.
type Beats = stages.HeartbeatState

func (c Config) beat() engine.SourceFunc[Beats, time.Time] {
	beat := stages.Heartbeat(c.Rate, c.Beats)
	return func(ctx context.Context, state *Beats, emit engine.Emit[time.Time]) error {
		err := beat(ctx, state, emit)
		beaten := err == nil || err == io.EOF
		if c.Faults == FaultsOn && beaten && state.Beats == failingBeat && engine.Attempt(ctx) == 1 {
			panic(fmt.Sprintf("the heartbeat fails on purpose, once, at beat %d", failingBeat))
		}
		return err
	}
}

// Tally is the worker's state: the beats that wait for a number, and the
// numbers done.
type Tally struct {
	Credit uint64 `json:"credit"`
	Done   uint64 `json:"done"`
}

func credit(_ context.Context, tally *Tally, _ engine.Message[time.Time], _ engine.Emit[Word]) error {
	tally.Credit++
	return nil
}

// work does one number per beat.
func (c Config) work(_ context.Context, tally *Tally, m engine.Message[uint64], emit engine.Emit[Word]) error {
	if tally.Credit == 0 {
		return engine.Hold
	}
	if c.Faults == FaultsOn && m.Value == poisonNumber {
		panic(fmt.Sprintf("the worker fails on purpose at every try of number %d", poisonNumber))
	}
	tally.Credit--
	tally.Done++
	emit(NewWord(m.Value))
	return nil
}

// Logged is the logger's state: how many words of which kind it logged.
type Logged struct {
	Logged   uint64 `json:"logged"`
	Fizz     uint64 `json:"fizz"`
	Buzz     uint64 `json:"buzz"`
	FizzBuzz uint64 `json:"fizzbuzz"`
	Value    uint64 `json:"value"`
}

func (c Config) log(ctx context.Context, logged *Logged, m engine.Message[Word]) error {
	word := m.Value
	if c.Faults == FaultsOn && word == (Word{Number, poisonWord}) {
		panic(fmt.Sprintf("the logger fails on purpose at every try of the word %d", poisonWord))
	}
	logged.Logged++
	switch word.Kind {
	case Fizz:
		logged.Fizz++
	case Buzz:
		logged.Buzz++
	case FizzBuzz:
		logged.FizzBuzz++
	default:
		logged.Value++
	}
	engine.Logger(ctx).Info(word.String(), "number", word.Value)
	return nil
}

// hooks tell where a stage resumes, and what it did in all when it ends.
func hooks[S, Out any]() engine.Hooks[S, Out] {
	return engine.Hooks[S, Out]{
		Start: func(ctx context.Context, state *S, _ engine.Emit[Out]) error {
			info := engine.InfoOf(ctx)
			engine.Logger(ctx).Info("starting", "start", info.Start, "taken", info.In, "emitted", info.Out, "state", fmt.Sprintf("%+v", *state))
			return nil
		},
		End: func(ctx context.Context, state *S, _ engine.Emit[Out]) error {
			info := engine.InfoOf(ctx)
			engine.Logger(ctx).Info("ended", "starts", info.Start, "taken", info.In, "emitted", info.Out, "state", fmt.Sprintf("%+v", *state))
			return nil
		},
	}
}
