package breaker

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const open = 30 * time.Second

// play runs a script of words and returns the state after each:
//
//	ok, fail, drop   Allow, which must say yes, and what became of the call
//	allow            Allow, which must say yes, and nothing more
//	no               Allow, which must say no
//	done, failed, dropped   the end of a call that was allowed before
//	wait, almost     the time of the breaker passes, or all of it but a nanosecond
func play(t *testing.T, b *Breaker, script string) []State {
	t.Helper()
	var states []State
	for i, word := range strings.Fields(script) {
		switch word {
		case "ok", "fail", "drop", "allow", "no":
			if _, ok := b.Allow(); ok != (word != "no") {
				t.Fatalf("word %d, %s: Allow says %v in state %v", i, word, ok, b.State())
			}
		}
		switch word {
		case "ok", "done":
			b.Done(true)
		case "fail", "failed":
			b.Done(false)
		case "drop", "dropped":
			b.Drop()
		case "wait":
			time.Sleep(open)
		case "almost":
			time.Sleep(open - 1)
		case "allow", "no":
		default:
			t.Fatalf("no such word: %s", word)
		}
		states = append(states, b.State())
	}
	return states
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, script string
		want         string // the states: c, o, h
		counts       Counts
	}{
		{"opens after three in a row", "fail fail fail no no", "ccooo", Counts{3, 1}},
		{"a success in between starts over", "fail fail ok fail fail ok fail fail fail no", "cccccccc" + "oo", Counts{3, 1}},
		{"successes first", "ok ok ok ok fail fail fail", "ccccc" + "co", Counts{3, 1}},
		{"a drop is neither", "fail fail drop fail", "ccco", Counts{3, 1}},
		{"drops alone", "drop drop drop drop", "cccc", Counts{0, 0}},
		{"refuses until the time is over", "fail fail fail almost no", "ccooo", Counts{3, 1}},
		{"stays open until asked", "fail fail fail wait wait", "ccooo", Counts{3, 1}},
		{"one probe", "fail fail fail wait allow no no", "ccoohhh", Counts{3, 1}},
		{"a good probe closes", "fail fail fail wait ok ok ok", "ccooccc", Counts{0, 1}},
		{"closed again it takes three", "fail fail fail wait ok fail fail ok fail fail fail", "ccooccccc" + "co", Counts{3, 2}},
		{"a bad probe opens for the whole time", "fail fail fail wait fail almost no", "ccooooo", Counts{4, 2}},
		{"bad, bad, good", "fail fail fail wait fail wait fail no wait ok", "ccooooooo" + "c", Counts{0, 3}},
		{"a dropped probe leaves its place", "fail fail fail wait drop drop allow no done", "ccoohhhhc", Counts{0, 1}},
		{"dropped, then bad", "fail fail fail wait drop fail almost no", "ccoohooo", Counts{4, 2}},
		{"a late success", "allow fail fail fail done no", "cccooo", Counts{3, 1}},
		{"a late failure does not count", "allow fail fail fail failed no", "cccooo", Counts{3, 1}},
		{"a late failure does not prolong", "allow fail fail fail almost failed no", "cccoooo", Counts{3, 1}},
		{"the probe waits for an earlier call", "allow fail fail fail wait no failed allow no done", "cccooooh" + "hc", Counts{0, 1}},
		{"the probe waits for a dropped one", "allow fail fail fail wait no dropped ok", "cccoooo" + "c", Counts{0, 1}},
		{"an end without a call", "failed failed failed dropped done fail fail", "ccccccc", Counts{2, 0}},
		{"an end without a probe", "fail fail fail done wait done drop done failed allow", "ccooo" + "ohhhh", Counts{3, 1}},
		{"calls at once", "allow allow allow allow failed failed done failed failed", "ccccccccc", Counts{1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := New("test", Config{Failures: 3, Open: open})
				var got strings.Builder
				for _, s := range play(t, b, c.script) {
					got.WriteByte(s.String()[0])
				}
				if got.String() != c.want {
					t.Errorf("%s\nstates %s, want %s", c.script, got.String(), c.want)
				}
				if b.Counts() != c.counts {
					t.Errorf("%s\n%+v, want %+v", c.script, b.Counts(), c.counts)
				}
			})
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{}, {Failures: -1, Open: -1}} {
		synctest.Test(t, func(t *testing.T) {
			b := New("crm", c)
			states := play(t, b, "fail fail fail fail fail no almost no")
			if want := append(slices.Repeat([]State{StateClosed}, 4), slices.Repeat([]State{StateOpen}, 4)...); !slices.Equal(states, want) {
				t.Errorf("%+v: states %v, want %v", c, states, want)
			}
			time.Sleep(time.Nanosecond)
			if _, ok := b.Allow(); !ok || b.Name() != "crm" {
				t.Errorf("%+v: %s has not let a probe through after %v", c, b.Name(), open)
			}
		})
	}
}

func TestShortestTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := New("test", Config{Failures: 1, Open: 1})
		play(t, b, "fail no")
		time.Sleep(2 * time.Nanosecond)
		play(t, b, "ok")
	})
}

// Whoever waits until next and no longer gets through, however short or long the time.
func TestNext(t *testing.T) {
	t.Parallel()
	for _, open := range []time.Duration{2, time.Millisecond, time.Hour, 200 * 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := New("test", Config{Failures: 1, Open: open})
			play(t, b, "fail")
			began := time.Now()
			next, ok := b.Allow()
			if ok || !next.Equal(began.Add(open)) {
				t.Fatalf("open for %v: next in %v, ok %v", open, next.Sub(began), ok)
			}
			time.Sleep(time.Until(next))
			if next, ok := b.Allow(); !ok || !next.IsZero() {
				t.Fatalf("open for %v: no probe when asked at next (%v more)", open, time.Until(next))
			}
			if next, ok := b.Allow(); ok || time.Until(next) != askAgain {
				t.Errorf("open for %v: with the probe under way next is in %v, ok %v", open, time.Until(next), ok)
			}
		})
	}
}

// With an earlier call out, next is the later of the time of the probe and a short while.
func TestNextBehindEarlierCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := New("test", Config{Failures: 1, Open: open})
		play(t, b, "allow fail")
		if next, ok := b.Allow(); ok || time.Until(next) != open {
			t.Errorf("next is in %v, ok %v; want %v", time.Until(next), ok, open)
		}
		time.Sleep(open)
		if next, ok := b.Allow(); ok || time.Until(next) != askAgain {
			t.Errorf("next is in %v, ok %v; want %v", time.Until(next), ok, askAgain)
		}
	})
}

func TestOnChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b *Breaker
		var told []string
		b = New("test", Config{Failures: 2, Open: open, OnChange: func(from, to State) {
			if b.State() != to {
				t.Errorf("told of %v in state %v", to, b.State())
			}
			told = append(told, fmt.Sprintf("%v>%v", from, to))
		}})
		play(t, b, "ok fail fail no wait drop fail wait ok ok")
		want := []string{"closed>open", "open>half-open", "half-open>open", "open>half-open", "half-open>closed"}
		if !slices.Equal(told, want) {
			t.Errorf("told of %v, want %v", told, want)
		}
	})
}

// Of many that ask at once one is let through, time after time.
func TestOneProbeAmongMany(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		name string
		end  func(*Breaker)
		want State
	}{
		{"fails", func(b *Breaker) { b.Done(false) }, StateOpen},
		{"dropped", func(b *Breaker) { b.Drop() }, StateHalfOpen},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := New("test", Config{Failures: 1, Open: open})
			play(t, b, "fail")
			for range 50 {
				time.Sleep(open)
				var probes atomic.Int32
				var asking sync.WaitGroup
				for range 32 {
					asking.Go(func() {
						if _, ok := b.Allow(); ok {
							probes.Add(1)
						}
						b.State()
						b.Counts()
					})
				}
				asking.Wait()
				if n := probes.Load(); n != 1 || b.State() != StateHalfOpen {
					t.Fatalf("%d probes in state %v", n, b.State())
				}
				if end.end(b); b.State() != end.want {
					t.Fatalf("%s: state %v, want %v", end.name, b.State(), end.want)
				}
			}
		})
	}
}

// Calls of many goroutines that overlap a change do no harm: never more than one is out in the half-open state, and in the
// end the breaker closes.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := New("test", Config{Failures: 3, Open: time.Second})
		began := time.Now()
		var up atomic.Bool
		var out atomic.Int32
		var callers sync.WaitGroup
		for caller := range 16 {
			callers.Go(func() {
				for time.Since(began) < 40*time.Second {
					if next, ok := b.Allow(); !ok {
						if !next.After(time.Now()) {
							t.Errorf("refused until %v ago", time.Since(next))
							return
						}
						time.Sleep(time.Until(next))
						continue
					}
					n := out.Add(1)
					if b.State() == StateHalfOpen && n > 1 {
						t.Errorf("%d calls out in the half-open state", n)
					}
					time.Sleep(time.Duration(caller+1) * 37 * time.Millisecond)
					out.Add(-1)
					b.Done(up.Load())
				}
			})
		}
		time.Sleep(20 * time.Second)
		if b.Counts().Opened < 5 {
			t.Errorf("opened %d times only in 20 s of failures", b.Counts().Opened)
		}
		up.Store(true)
		callers.Wait()
		if b.State() != StateClosed || b.Counts().Failures != 0 {
			t.Errorf("state %v, %+v after all went well", b.State(), b.Counts())
		}
	})
}

func TestHealthyCallAllocatesNothing(t *testing.T) {
	b := New("test", Config{})
	if n := testing.AllocsPerRun(100, func() { b.Allow(); b.Done(true) }); n != 0 {
		t.Errorf("a healthy call makes %v allocations", n)
	}
	play(t, b, "fail fail fail fail fail")
	if n := testing.AllocsPerRun(100, func() { b.Allow() }); n != 0 {
		t.Errorf("a refusal makes %v allocations", n)
	}
}
