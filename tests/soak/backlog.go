//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"

	"penstock/engine"
)

// backlog is a pipeline with many keys, whose source is always ahead of the
// stage that keeps them: first each key comes once, then they come at random.
type backlog struct {
	keys   uint64
	ending atomic.Bool
}

// backlogOf is how far the source runs ahead.
const backlogOf = 500_000

func (b *backlog) keyOf(id uint64) uint64 {
	if id < b.keys {
		return id
	}
	return scatter(id) % b.keys
}

func (b *backlog) pipeline() *engine.Pipeline {
	p := engine.New("backlog")
	ids := engine.Source(p, "ids", func(_ context.Context, at *place, emit engine.Emit[uint64]) error {
		if b.ending.Load() && at.Next >= b.keys {
			return io.EOF
		}
		for range 64 {
			emit(at.Next)
			at.Next++
		}
		return nil
	}).WithCapacity(engine.Capacity{Messages: backlogOf})
	engine.Sink(p, "accounts", engine.KeyBy(ids, func(id uint64) string { return "key-" + strconv.FormatUint(b.keyOf(id), 10) }),
		func(_ context.Context, a *account, m engine.Message[uint64]) error { return a.add(m.Value) })
	return p
}

// check compares the accounts with what they must be.
func (b *backlog) check(ctx context.Context, dir string) (n uint64, err error) {
	i, n, err := openResult(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer i.Close()
	want := make(map[string]account, b.keys)
	for id := range n {
		key := "key-" + strconv.FormatUint(b.keyOf(id), 10)
		a := want[key]
		if err := a.add(id); err != nil {
			return n, fmt.Errorf("the reference is wrong: %w", err)
		}
		want[key] = a
	}
	return n, same(ctx, i, "accounts", want)
}
