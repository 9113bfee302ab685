package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
)

// Result is a finished run as seen from outside.
type Result struct {
	Postings io.Reader          // the file; nil when there was none
	Book     map[string]Account // states of the stages
	Audit    Audit
	Tally    Tally
	Letters  []uint64 // entries among the dead letters of the book
}

// Check says everything that is wrong with a run, or returns nil: an entry lost or doubled, postings out of order, a
// state that disagrees with what was posted.
func Check(c Config, r Result) error {
	c = c.WithDefaults()
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if want := (Tally{c.Entries, c.Entries * (c.Entries - 1) / 2}); r.Tally != want {
		say("tally: %+v, want %+v", r.Tally, want)
	}
	checkLetters(c, r.Letters, say)
	if !maps.Equal(r.Book, r.Audit.Accounts) {
		say("the accounts of the book are not what the audit saw: %s", firstDifference(r.Book, r.Audit.Accounts))
	}
	if want := c.posted(); r.Audit.Seen != want {
		say("the audit saw %d postings, want %d", r.Audit.Seen, want)
	}
	for key, a := range r.Audit.Accounts {
		if want := c.postedFor(key); a.N != want {
			say("key %s has %d postings, want %d", key, a.N, want)
		}
	}
	if r.Postings != nil {
		accounts, err := c.checkPostings(r.Postings)
		if err != nil {
			say("file: %w", err)
		} else if !maps.Equal(accounts, r.Book) {
			say("the accounts of the book are not what the file says: %s", firstDifference(r.Book, accounts))
		}
	}
	return errors.Join(wrong...)
}

// posted is how many entries the book posts.
func (c Config) posted() (n uint64) {
	for entry := range c.Entries {
		if !Refused(entry) {
			n++
		}
	}
	return n
}

func (c Config) postedFor(key string) (n uint64) {
	for entry := range c.Entries {
		if !Refused(entry) && c.Key(entry) == key {
			n++
		}
	}
	return n
}

// checkPostings reads the file: entries of a key in order, each exactly once, each continuing the one before.
func (c Config) checkPostings(file io.Reader) (map[string]Account, error) {
	accounts := map[string]Account{}
	next := map[string]uint64{} // entry by key
	for k := range min(c.Keys, c.Entries) {
		next[c.Key(k)] = k
	}
	skip := func(key string) {
		for Refused(next[key]) {
			next[key] += c.Keys
		}
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		p, err := ParseLine(lines.Text())
		if err != nil {
			return nil, err
		}
		skip(p.Key)
		if p.Entry != next[p.Key] {
			return nil, fmt.Errorf("key %s: entry %d, want %d", p.Key, p.Entry, next[p.Key])
		}
		if err := p.follows(accounts[p.Key]); err != nil {
			return nil, err
		}
		accounts[p.Key] = p.account()
		next[p.Key] += c.Keys
	}
	for key := range next {
		if skip(key); next[key] < c.Entries {
			return nil, fmt.Errorf("key %s: entry %d and all behind it are missing", key, next[key])
		}
	}
	return accounts, lines.Err()
}

func checkLetters(c Config, letters []uint64, say func(string, ...any)) {
	count := map[uint64]int{}
	for _, entry := range letters {
		count[entry]++
		if !Refused(entry) {
			say("entry %d is among the dead letters", entry)
		}
	}
	for entry := range c.Entries {
		if Refused(entry) && count[entry] != 1 {
			say("entry %d is %d times among the dead letters, want once", entry, count[entry])
		}
	}
}

func firstDifference(a, b map[string]Account) string {
	for key := range a {
		if a[key] != b[key] {
			return fmt.Sprintf("key %s: %+v and %+v", key, a[key], b[key])
		}
	}
	return fmt.Sprintf("%d and %d keys", len(a), len(b))
}
