//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"penstock/engine/inspect"
	"penstock/engine/observe"
)

// reference is what the pipeline must come to when it has taken the ids below n.
type reference struct {
	accounts, tenths       map[string]account
	changes, totals        tally
	inAccounts, inTenths   uint64 // dead letters
	taken, given, branched uint64 // messages of split, to its stream, to its branch
}

func referenceOf(n, keys uint64) *reference {
	r := &reference{accounts: map[string]account{}, tenths: map[string]account{}, taken: n}
	add := func(to map[string]account, key string, id uint64) {
		a := to[key]
		if err := a.add(id); err != nil {
			panic(err) // ids grow
		}
		to[key] = a
	}
	for id := range n {
		switch {
		case dropped(id):
			continue
		case toBranch(id):
			r.branched++
			if isPartFailure(id) {
				r.inTenths++
				continue
			}
			add(r.tenths, keyOf(id, partKeys), id)
			continue
		}
		r.given++
		r.totals.add(id)
		if isReject(id) || isFailure(id) {
			r.inAccounts++
			continue
		}
		add(r.accounts, keyOf(id, keys), id)
		if id%passOf == 1 {
			r.changes.add(id)
		}
	}
	return r
}

// openResult opens the directory of a run that has ended, and says how many ids
// its source made. The inspector has to be closed.
func openResult(ctx context.Context, dir string) (i *inspect.Inspector, n uint64, err error) {
	if i, err = inspect.Open(ctx, inspect.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, 0, err
	}
	source, err := stateOf[place](ctx, i, "ids")
	if err != nil {
		return nil, 0, errors.Join(err, i.Close())
	}
	return i, source[""].Next, nil
}

// checkResult compares the committed states of a completed run, in its
// directory, and its counts with the reference. It returns how many ids there
// were.
func checkResult(ctx context.Context, dir string, keys uint64, status observe.Status, killed bool) (n uint64, err error) {
	i, n, err := openResult(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer i.Close()
	want := referenceOf(n, keys)
	for _, s := range status.Stages {
		if err := want.counts(s, killed); err != nil {
			return n, err
		}
	}
	if err := same(ctx, i, "accounts", want.accounts); err != nil {
		return n, err
	}
	if err := same(ctx, i, "tenths", want.tenths); err != nil {
		return n, err
	}
	if err := same(ctx, i, "changes", map[string]tally{"": want.changes}); err != nil {
		return n, err
	}
	return n, same(ctx, i, "totals", map[string]tally{"": want.totals})
}

// counts compares what a stage says that it took and diverted. A kill may come
// between a letter and its count, so that only an unkilled run counts exactly.
func (r *reference) counts(s observe.StageStatus, killed bool) error {
	in, dead := s.In, uint64(0)
	switch s.Name {
	case "split":
		in = r.taken
	case "accounts":
		in, dead = r.given, r.inAccounts
	case "windows":
		in = r.given
	case "tenths":
		in, dead = r.branched, r.inTenths
	case "changes":
		in = r.changes.Count
	}
	if killed {
		dead = s.DeadLetters
	}
	if s.In != in || s.DeadLetters != dead || s.Dropped != 0 {
		return fmt.Errorf("stage %s took %d messages, diverted %d and dropped %d: it must be %d, %d and 0", s.Name, s.In, s.DeadLetters, s.Dropped, in, dead)
	}
	return nil
}

// same compares the states of a stage.
func same[S comparable](ctx context.Context, i *inspect.Inspector, stage string, want map[string]S) error {
	got, err := stateOf[S](ctx, i, stage)
	if err != nil {
		return err
	}
	var zero S
	for key := range got {
		if _, found := want[key]; !found && got[key] != zero {
			return fmt.Errorf("stage %s has a state for %q, which it must not", stage, key)
		}
	}
	for key, state := range want {
		if got[key] != state {
			return fmt.Errorf("stage %s has the state %+v for %q: it must be %+v", stage, got[key], key, state)
		}
	}
	return nil
}

func stateOf[S any](ctx context.Context, i *inspect.Inspector, stage string) (map[string]S, error) {
	states := map[string]S{}
	err := i.State(ctx, stage, func(key string, state json.RawMessage) error {
		var s S
		if err := json.Unmarshal(state, &s); err != nil {
			return err
		}
		states[key] = s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the state of %s: %w", stage, err)
	}
	return states, nil
}
