package runcmd

import "penstock/cmd/pipeline/internal/flags"

// keepFlags bound the dead letters that a pipeline keeps.
type keepFlags struct {
	DeadLetters     flags.Count    `placeholder:"N" group:"how" help:"How many dead letters are kept. When the limit is reached, a stage with a further one waits, and the log says so. Default: only --dead-letter-bytes limits them."`
	DeadLetterBytes flags.Size     `default:"1GiB" placeholder:"SIZE" group:"how" help:"How much space dead letters may take: bytes, or with a unit such as 64MiB. Default: 1GiB."`
	DeadLetterAge   flags.Duration `placeholder:"TIME" group:"how" help:"Dead letters older than this are deleted. Default: never."`
}
