package crash

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"penstock/engine/faultpoint"
	"penstock/engine/inspect"
	"penstock/tests/crash/ledger"
)

// ledgerWorkload is the ledger with more arguments for the victim.
func ledgerWorkload(c ledger.Config, more ...string) workload {
	c = c.WithDefaults()
	w := workload{name: ledger.Name, lines: 200}
	w.args = func(s site) []string {
		return append(ledgerArgs(s, c), more...)
	}
	w.check = func(t *testing.T, s site) error { return checkLedger(t.Context(), s, c) }
	w.places = slices.Concat(
		stagePlaces("entries", 300, 15),
		readerPlaces("book", 1500, 40), readerPlaces("audit", 1500, 30), readerPlaces("tally", 1500, 15), readerPlaces("file", 1500, 25),
		commonPlaces(8), trimPlaces(5, "entries", "book", "audit", "tally", "file"),
		[]place{{faultpoint.BeforeDivert, "book", 15}, {faultpoint.MidDivert, "book", 15}})
	return w
}

// ledgerArgs starts the ledger in its configuration.
func ledgerArgs(s site, c ledger.Config) []string {
	return []string{
		"ledger", "-dir", s.data(), "-url", s.url, "-report", s.report(), "-output", s.output(),
		"-entries", strconv.FormatUint(c.Entries, 10), "-messages", strconv.FormatUint(c.Messages, 10), "-bytes", strconv.FormatUint(c.Bytes, 10),
		"-pace", c.Pace.String(), "-slow", c.Slow.String(),
	}
}

func checkLedger(ctx context.Context, s site, c ledger.Config) error {
	file, err := os.Open(s.output())
	if err != nil {
		return err
	}
	result := ledger.Result{Postings: file}
	if err := s.readLedger(ctx, &result); err != nil {
		return closing(file, err)
	}
	if err := closing(file, ledger.Check(c, result)); err != nil {
		return err
	}
	status, err := s.readReport()
	if err != nil {
		return err
	}
	posted := result.Audit.Seen
	return checkCounts(status, map[string][2]uint64{
		"entries": {0, c.Entries}, "tally": {c.Entries, 0}, "book": {c.Entries, posted}, "audit": {posted, posted}, "file": {posted, 0},
	})
}

// readLedger reads states and dead letters.
func (s site) readLedger(ctx context.Context, r *ledger.Result) error {
	err := s.inspect(ctx, func(i *inspect.Inspector) error {
		var err error
		if r.Book, err = statesOf[ledger.Account](ctx, i, "book"); err != nil {
			return err
		}
		audits, err := statesOf[ledger.Audit](ctx, i, "audit")
		if err != nil {
			return err
		}
		tallies, err := statesOf[ledger.Tally](ctx, i, "tally")
		r.Audit, r.Tally = audits[""], tallies[""]
		return err
	})
	if err != nil {
		return err
	}
	letters, err := s.letters(ctx, ledger.Name)
	for _, l := range letters {
		if len(l.Value) != 8 || l.ID() != fmt.Sprintf("book.0:entries.0:%d", l.Offset) || binary.LittleEndian.Uint64(l.Value) != l.Offset {
			return fmt.Errorf("dead letter %s: value %x", l.ID(), l.Value)
		}
		r.Letters = append(r.Letters, l.Offset)
	}
	return err
}
