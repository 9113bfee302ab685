package workload

import "penstock/engine"

// otherState is what a new version of the program might have made of the states. It cannot be read from what the old
// one wrote, nor the other way round.
type otherState struct {
	Rich `json:"other"`
	In   string `json:"in"`
}

// anyType reads the state of a key that only the retyped program has seen, too: nothing refuses that key.
func anyType() engine.Codec[Rich] {
	return engine.Migrated(older[Rich](), engine.DefaultCodec[otherState](), func(o otherState) (Rich, error) { return o.Rich, nil })
}
