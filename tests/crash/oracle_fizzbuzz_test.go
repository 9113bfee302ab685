package crash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine/faultpoint"
	"penstock/engine/inspect"
	"penstock/examples/fizzbuzz"
)

const beats = 120

func fizzbuzzWorkload(more ...string) workload {
	return workload{
		name: "fizzbuzz",
		args: func(s site) []string {
			return append([]string{"fizzbuzz", "-dir", s.data(), "-url", s.url, "-report", s.report(), "-rate", "1ms", "-beats", fmt.Sprint(beats)}, more...)
		},
		check: func(t *testing.T, s site) error { return checkFizzbuzz(t.Context(), s) },
		lines: 300,
		places: slices.Concat(
			stagePlaces("generator", 40, 2), stagePlaces("heartbeat", 40, 20),
			readerPlaces("worker", 60, 20), readerPlaces("logger", 40, 20),
			commonPlaces(6), trimPlaces(3, "generator", "heartbeat", "worker", "logger"),
			[]place{
				{faultpoint.BeforeDivert, "worker", 1}, {faultpoint.BeforeDivert, "logger", 1},
				{faultpoint.MidDivert, "worker", 1}, {faultpoint.MidDivert, "logger", 1},
			}),
	}
}

func checkFizzbuzz(ctx context.Context, s site) error {
	err := s.inspect(ctx, func(i *inspect.Inspector) error {
		return errors.Join(
			checkState(ctx, i, "generator", fizzbuzz.Count{Next: beats}),
			checkState(ctx, i, "worker", fizzbuzz.Tally{Credit: 1, Done: beats - 1}),
			checkState(ctx, i, "logger", fizzbuzz.Logged{Logged: 118, Fizz: 31, Buzz: 16, FizzBuzz: 8, Value: 63}),
		)
	})
	if err != nil {
		return err
	}
	letters, err := s.letters(ctx, "fizzbuzz")
	if err != nil {
		return err
	}
	var ids []string
	for _, l := range letters {
		ids = append(ids, l.ID())
		if want := reasonOfPanics(l); l.Reason != want {
			return fmt.Errorf("dead letter %s has the reason %s, want %s: %+v", l.ID(), l.Reason, want, l.Attempts)
		}
	}
	slices.Sort(ids)
	// 41 is the 41st word: 33 became none, and they count from 0.
	if want := []string{"logger.0:worker.0:40", "worker.0:generator.0:33"}; !slices.Equal(ids, want) {
		return fmt.Errorf("dead letters %q, want %q", ids, want)
	}
	status, err := s.readReport()
	if err != nil {
		return err
	}
	return checkCounts(status, map[string][2]uint64{
		"generator": {0, beats}, "heartbeat": {0, beats}, "worker": {2 * beats, beats - 1}, "logger": {beats - 1, 0},
	})
}

// reasonOfPanics is the reason of a message that always panics, unless its last attempt was ended by a kill: one that comes
// while the message is tried alone counts as an attempt of it.
func reasonOfPanics(l dlq.Letter) dlq.Reason {
	if n := len(l.Attempts); n > 0 && strings.HasPrefix(l.Attempts[n-1].Error, "the process died") {
		return dlq.ReasonKilled
	}
	return dlq.ReasonPanic
}

// checkState compares the one state of a stage.
func checkState[S comparable](ctx context.Context, i *inspect.Inspector, stage string, want S) error {
	states, err := statesOf[S](ctx, i, stage)
	if err == nil && states[""] != want {
		err = fmt.Errorf("state of %s: %+v, want %+v", stage, states[""], want)
	}
	return err
}
