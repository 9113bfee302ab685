package workload

import "penstock/engine"

// released is the state in another release of the program: the same, written in another way.
type released[S any] struct {
	State S `json:"state"`
}

func (r *released[S]) plain() *Plain { return any(&r.State).(account).plain() }
func (r *released[S]) rich() *Rich   { return any(&r.State).(account).rich() }

// newer is the codec of the other release, which converts what this one has written.
func newer[S any]() engine.Codec[released[S]] {
	return engine.Migrated(engine.JSON[released[S]](), engine.JSON[S](), func(s S) (released[S], error) { return released[S]{s}, nil })
}

// older is the codec of this release, which converts what the other one has written.
func older[S any]() engine.Codec[S] {
	return engine.Migrated(engine.JSON[S](), engine.JSON[released[S]](), func(r released[S]) (S, error) { return r.State, nil })
}
