package main

import (
	"penstock/tests/crash/ledger"
)

func runLedger(args []string) error {
	set, s := flags("ledger")
	var c ledger.Config
	set.Uint64Var(&c.Entries, "entries", 0, "`number` of entries")
	set.Uint64Var(&c.Bytes, "bytes", 0, "capacity of each channel, in `bytes`")
	set.Uint64Var(&c.Messages, "messages", 0, "capacity of each channel, in `messages`")
	set.StringVar(&c.Output, "output", "", "`file` of postings")
	set.DurationVar(&c.Pace, "pace", 0, "what the source takes for five entries")
	set.DurationVar(&c.Slow, "slow", 0, "what the tally takes for each entry")
	if err := set.Parse(args); err != nil {
		return err
	}
	return s.run(ledger.New(c))
}
