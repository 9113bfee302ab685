package runcmd

import "penstock/cmd/pipeline/internal/flags"

// keepFlags bound the dead letters that a pipeline keeps.
type keepFlags struct {
	DeadLetters     flags.Count    `placeholder:"N" group:"how" help:"How many dead letters are kept. When there are as many a stage that has one more waits, and says so. Default: no bound but that of --dead-letter-bytes."`
	DeadLetterBytes flags.Size     `default:"1GiB" placeholder:"SIZE" group:"how" help:"How much they take together: bytes, or with a unit such as 64MiB. Default: 1GiB."`
	DeadLetterAge   flags.Duration `placeholder:"TIME" group:"how" help:"After which time they are dropped. Default: never."`
}
