package poison

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"penstock/dlq"
)

// Result is a finished run as seen from outside.
type Result struct {
	File    io.Reader
	Sift    Sum
	Tally   map[string]Sum // by key
	Bundle  Sum
	Beside  Sum
	Letters []dlq.Letter
	// Replayed: the killers were discarded, all others that failed were replayed, in whatever order.
	Replayed bool
	// Disturbed: it was killed from outside, too. When it ran carefully that counts as an attempt of the message in hand.
	Disturbed bool
}

// Check says everything that is wrong with a run, or returns nil: the killers, and no others, must be without effect
// and dead letters.
func Check(c Config, r Result) error {
	c = c.WithDefaults()
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	letters := c
	if r.Replayed {
		letters.Killers = nil
	}
	letters.checkLetters(r, say)
	for stage, got := range map[string]Sum{"sift": r.Sift, "bundle": r.Bundle, "beside": r.Beside} {
		if want := c.sum(stage, ""); got != want {
			say("%s: %+v, want %+v", stage, got, want)
		}
	}
	want := map[string]Sum{}
	for key := range c.Keys {
		want[c.Key(key)] = c.sum("tally", c.Key(key))
	}
	if !maps.Equal(r.Tally, want) {
		say("tally: %v, want %v", r.Tally, want)
	}
	if r.File != nil {
		if err := c.checkFile(r.File, r.Replayed); err != nil {
			say("file: %w", err)
		}
	}
	return errors.Join(wrong...)
}

// reaches says whether a number has its effect in a stage.
func (c Config) reaches(stage string, number uint64) bool {
	for _, k := range c.Killers {
		if k.Number == number && (k.Stage == stage || before(k.Stage, stage)) {
			return false
		}
	}
	return true
}

// sum is what a stage must have seen, of one key if it is not "".
func (c Config) sum(stage, key string) (s Sum) {
	for number := range c.Numbers {
		if c.reaches(stage, number) && (key == "" || c.Key(number) == key) {
			s.add(number)
		}
	}
	return s
}

// checkFile reads the file: every number once, in order but for those that were replayed; where some overtake others,
// in the order of each key.
func (c Config) checkFile(file io.Reader, replayed bool) error {
	var got, want []uint64
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		number, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			return err
		}
		got = append(got, number)
	}
	if replayed {
		slices.Sort(got)
	}
	for number := range c.Numbers {
		if c.reaches("file", number) {
			want = append(want, number)
		}
	}
	if c.Hesitation > 0 {
		byKey := func(a, b uint64) int { return strings.Compare(c.Key(a), c.Key(b)) }
		slices.SortStableFunc(got, byKey)
		slices.SortStableFunc(want, byKey)
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Errorf("%d numbers, want %d; the first difference is at line %d: %v and %v", len(got), len(want), i+1, at(got, i), at(want, i))
		}
	}
	return lines.Err()
}

func at(list []uint64, i int) []uint64 { return list[min(i, len(list)):min(i+3, len(list))] }

func (c Config) checkLetters(r Result, say func(string, ...any)) {
	open := map[string]Killer{}
	for _, k := range c.Killers {
		open[k.ID(c)] = k
	}
	for _, l := range r.Letters {
		k, found := open[l.ID()]
		if !found {
			say("%s is among the dead letters, or twice: %s, %s, %+v", l.ID(), l.Reason, l.Error, l.Attempts)
			continue
		}
		delete(open, l.ID())
		number, _ := Number(l.Value)
		reason, attempts := k.expect(c)
		if number != k.Number || !k.explains(c, l, r.Disturbed) || l.Stage != k.Stage || l.Round != 1 {
			say("dead letter %s of %v: round %d, number %d, stage %s, reason %s, want %s; %d attempts, want %d: %+v",
				l.ID(), k, l.Round, number, l.Stage, l.Reason, reason, len(l.Attempts), attempts, l.Attempts)
		}
	}
	for id, k := range open {
		say("%v is not among the dead letters as %s", k, id)
	}
}

// expect is what its dead letter says.
func (k Killer) expect(c Config) (dlq.Reason, int) {
	switch {
	case Kills(k.Way):
		return dlq.ReasonKilled, c.Attempts
	case k.Way == "reject" && k.Stage != "file":
		return dlq.ReasonRejected, 1
	case k.Way == "panic" || k.Stage == "file":
		return dlq.ReasonPanic, c.Attempts
	}
	return dlq.ReasonError, c.Attempts
}

// explains says whether the reason and the attempts of a letter are the killer's.
func (k Killer) explains(c Config, l dlq.Letter, disturbed bool) bool {
	reason, attempts := k.expect(c)
	made := len(l.Attempts) + l.AttemptsOmitted
	if l.Reason == reason && made == attempts {
		return true
	}
	own := 0
	for _, a := range l.Attempts {
		if !strings.HasPrefix(a.Error, "the process died") {
			own++
		}
	}
	return disturbed && own < len(l.Attempts) && own <= attempts && made <= c.Attempts && (l.Reason == reason || l.Reason == dlq.ReasonKilled)
}

// Number is that of a value.
func Number(value []byte) (uint64, bool) {
	if len(value) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(value), true
}
