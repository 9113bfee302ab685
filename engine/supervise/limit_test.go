package supervise

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// crashing fails again and again, each time after that long.
func crashing(name string, d time.Duration, how func() error) Child {
	life := after(d, how)
	return Child{Name: name, Backoff: Immediate(), Serve: inTurn(slices.Repeat([]func() error{life}, 10)...)}
}

func TestLimit(t *testing.T) {
	for name, c := range map[string]struct {
		limit   Limit
		every   time.Duration
		how     func() error
		failure int // that escalates; 0: none
	}{
		"sixth in the window":  {Limit{}, time.Second, broken, 6},
		"13 s apart":           {Limit{}, 13 * time.Second, broken, 0},
		"just in the window":   {Limit{}, 12*time.Second - 1, broken, 6},
		"just out of it":       {Limit{}, 12 * time.Second, broken, 0},
		"a single one":         {Limit{Restarts: 1, Window: time.Hour}, time.Second, broken, 2},
		"none":                 {Limit{Restarts: -1}, time.Second, broken, 0},
		"strict":               {Strict.Limit, 5 * time.Second, broken, 4},
		"panics count":         {Limit{}, time.Second, func() error { panic("boom") }, 6},
		"uncounted":            {Limit{}, time.Second, func() error { return Uncounted(errBroken) }, 0},
		"uncounted as a panic": {Limit{}, time.Second, func() error { panic(Uncounted(errBroken)) }, 0},
		"lenient":              {Lenient.Limit, time.Second, broken, 0},
		"production":           {Production.Limit, time.Second, broken, 6},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				events := newLog()
				s := Supervisor{Name: "top", Limit: c.limit, OnEvent: events.add, Children: []Child{crashing("a", c.every, c.how), idle("b")}}
				err := serveFor(t, &s, time.Hour)
				var over *LimitError
				if errors.As(err, &over) != (c.failure > 0) {
					t.Fatalf("error = %v, want a failure to escalate: %d", err, c.failure)
				}
				if c.failure == 0 {
					return
				}
				if got := events.count("a", Failed); got != c.failure {
					t.Errorf("escalated at failure %d, want %d", got, c.failure)
				}
				if took, want := time.Since(events.start), time.Duration(c.failure)*c.every; took != want {
					t.Errorf("took %v, want %v", took, want)
				}
				if over.Group != "top" || over.Child != "a" || over.Limit != c.limit.withDefaults() || events.count("b", Stopped) != 1 {
					t.Errorf("error = %+v, events %q", over, events.all())
				}
			})
		})
	}
}

func TestPermanentEndsCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := crashing("a", time.Second, ends)
		c.Policy = Permanent
		err := (&Supervisor{Limit: Limit{Restarts: 2}, Children: []Child{c}}).Serve(t.Context())
		if want := `child "a" failed 3 times within 1m0s (limit 2): it ended without an error`; err == nil || err.Error() != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	})
}

// The restarts of all children count together, except of those with an account of their own.
func TestAccounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		events := newLog()
		own := crashing("own", time.Second, broken)
		own.Limit = &Limit{Restarts: 100}
		s := Supervisor{OnEvent: events.add, Children: []Child{
			crashing("a", 2*time.Second, broken), own, crashing("b", 2100*ms, broken),
		}}
		err := s.Serve(t.Context())
		var over *LimitError
		if !errors.As(err, &over) || over.Child != "b" || over.Limit.Restarts != 5 {
			t.Errorf("error = %v", err)
		}
		if a, b := events.count("a", Restarting), events.count("b", Restarting); a != 3 || b != 2 {
			t.Errorf("%d and %d restarts, want 5 together", a, b)
		}
	})
}

func TestOwnLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		own := crashing("own", time.Second, broken)
		own.Limit = &Limit{Restarts: 2, Window: time.Minute}
		err := (&Supervisor{Limit: Limit{Restarts: -1}, Children: []Child{own}}).Serve(t.Context())
		if want := `child "own" failed 3 times within 1m0s (limit 2): broken`; err == nil || err.Error() != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	})
}
