package main

import (
	"time"

	"penstock/examples/fizzbuzz"
)

func runFizzbuzz(args []string) error {
	set, s := flags("fizzbuzz")
	var c fizzbuzz.Config
	set.Uint64Var(&c.Beats, "beats", 120, "`number` of beats")
	set.DurationVar(&c.Rate, "rate", time.Millisecond, "between two beats")
	if err := set.Parse(args); err != nil {
		return err
	}
	return s.run(fizzbuzz.New(c))
}
