package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/inspect"
)

// keyedAim is in messages a second, with a million keys.
const (
	keyedAim  = 500_000
	aimedKeys = 1_000_000
)

func measureKeyed(ctx context.Context, b *bench) error {
	for _, keys := range []uint64{10, aimedKeys} {
		if err := keyedContest(keys).run(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// keyedContest counts messages by key, without order among the keys.
func keyedContest(keys uint64) contest {
	names := keyNames(keys)
	const lost = "at least once; the counts are a map, which a crash loses"
	return contest{name: "counting, " + amount(keys) + " keys", unit: "messages/s", sides: func(b *bench, sync syncMode) []*side {
		sides := b.byPeers(sync, keyedByHand(names))
		for _, s := range sides {
			s.system, s.guarantee = s.system+", a map", lost
		}
		sides = append(sides, &side{system: byHand.system + ", a KV bucket", guarantee: "at least once: what was counted and not acknowledged is counted again; the counts are kept",
			run: byHand.run(keyedInBucket(names)), messages: b.share(sync, share{"always": 1000, "lazy": 100})})
		n := max(b.messages, int(min(2*keys, uint64(2*b.messages))))
		s := &side{system: ours, guarantee: "exactly once, the counts are kept", run: keyedPipeline(names), messages: n}
		if keys == aimedKeys {
			s.aims = map[string]*aim{"messages/s": {AtLeast: keyedAim}}
			sides = append(sides, &side{system: ours + ", a tenth of the keys in memory", guarantee: s.guarantee, messages: n,
				run: keyedPipeline(names, engine.KeysInMemory(int(keys/10)))})
		}
		return append(sides, s)
	}}
}

func keyNames(keys uint64) []string {
	names := make([]string, keys)
	for i := range names {
		names[i] = "key-" + strconv.Itoa(i)
	}
	return names
}

// scatter gives the same unordered numbers in every run (splitmix64).
func scatter(i uint64) uint64 {
	i = (i + 1) * 0x9e3779b97f4a7c15
	i = (i ^ i>>30) * 0xbf58476d1ce4e5b9
	i = (i ^ i>>27) * 0x94d049bb133111eb
	return i ^ i>>31
}

// checkCounts compares counts by key with what n messages must give.
func checkCounts(names []string, n uint64, got func(key string) (uint64, error)) error {
	want := map[uint64]uint64{}
	for i := range n {
		want[scatter(i)%uint64(len(names))]++
	}
	for k, count := range want {
		found, err := got(names[k])
		if err != nil {
			return err
		}
		if err := expect("messages of "+names[k], found, count); err != nil {
			return err
		}
	}
	return nil
}

// keyedMessages sends the key of each message, and hands it to count.
func keyedMessages(p *program, names []string, n uint64, count func(key string) error) error {
	if err := p.topic("keys"); err != nil {
		return err
	}
	err := p.relayer(relaying{name: "counter", from: "keys", n: n, handle: func(data []byte) ([]byte, error) {
		if len(data) != 8 {
			return nil, errDamaged
		}
		return nil, count(names[binary.LittleEndian.Uint64(data)])
	}})
	if err != nil {
		return err
	}
	return p.sender(sending{topic: "keys", n: n, make: func(i uint64) ([]byte, error) {
		return numberBytes(scatter(i) % uint64(len(names)))
	}})
}

func keyedByHand(names []string) builder {
	return func(p *program, n uint64) (func() error, error) {
		counts := map[string]uint64{}
		err := keyedMessages(p, names, n, func(key string) error {
			counts[key]++
			return nil
		})
		return func() error {
			return checkCounts(names, n, func(key string) (uint64, error) { return counts[key], nil })
		}, err
	}
}

// keyedInBucket keeps each count in a bucket before its message is
// acknowledged. It remembers counts and revisions, so that a message costs one
// request and not two.
func keyedInBucket(names []string) builder {
	return func(p *program, n uint64) (func() error, error) {
		side, err := p.side()
		if err != nil {
			return nil, err
		}
		bucket, err := side.js.CreateKeyValue(p.ctx, jetstream.KeyValueConfig{Bucket: "counts", Storage: jetstream.FileStorage})
		if err != nil {
			return nil, fmt.Errorf("create the bucket: %w", err)
		}
		type entry struct{ count, revision uint64 }
		known := map[string]entry{}
		err = keyedMessages(p, names, n, func(key string) error {
			e := known[key]
			e.count++
			var err error
			if e.revision, err = bucket.Update(context.WithoutCancel(p.ctx), key, strconv.AppendUint(nil, e.count, 10), e.revision); err != nil {
				return fmt.Errorf("put %s into the bucket: %w", key, err)
			}
			known[key] = e
			return nil
		})
		return func() error {
			return checkCounts(names, n, func(key string) (uint64, error) {
				e, err := bucket.Get(p.ctx, key)
				if err != nil {
					return 0, fmt.Errorf("get %s from the bucket: %w", key, err)
				}
				return strconv.ParseUint(string(e.Value()), 10, 64)
			})
		}, err
	}
}

func keyedPipeline(names []string, options ...engine.Option) sideFunc {
	return func(ctx context.Context, dir string, sync syncMode, n int) (outcome, error) {
		w := &watch{}
		keys := uint64(len(names))
		p := engine.New("counting")
		numbers := source(p, w, "keys", uint64(n), perCall, func(i uint64) uint64 { return scatter(i) % keys })
		engine.Sink(p.With(options...), "counts", engine.KeyBy(numbers, func(v uint64) string { return names[v] }),
			func(_ context.Context, count *uint64, _ engine.Message[uint64]) error {
				*count++
				return nil
			})
		o, err := runPipeline(ctx, p, w, dir, sync)
		if err != nil {
			return o, err
		}
		return o, checkKept(ctx, dir, names, uint64(n))
	}
}

// checkKept reads what the pipeline has on disk.
func checkKept(ctx context.Context, dir string, names []string, n uint64) error {
	kept, err := inspect.Open(ctx, inspect.Config{Dir: dir})
	if err != nil {
		return fmt.Errorf("read the counts: %w", err)
	}
	defer kept.Close()
	counts := map[string]uint64{}
	var total uint64
	err = kept.State(ctx, "counts", func(key string, state json.RawMessage) error {
		var c uint64
		err := json.Unmarshal(state, &c)
		counts[key] = c
		total += c
		return err
	})
	if err != nil {
		return fmt.Errorf("read the counts: %w", err)
	}
	return errors.Join(expect("messages counted", total, n),
		checkCounts(names, n, func(key string) (uint64, error) { return counts[key], nil }))
}
