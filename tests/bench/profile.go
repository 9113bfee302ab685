package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// spending is the processor time of one run by what it went into.
type spending struct {
	Sync     string             `json:"sync"`
	Messages int                `json:"messages"`
	Took     float64            `json:"seconds"`
	Busy     float64            `json:"cpu_seconds"`
	Shares   map[string]float64 `json:"shares"` // of Busy
}

// What processor time goes into. A sample belongs to the innermost function that
// one of these says something about.
const (
	onCopying     = "copying bytes"
	onSystemCalls = "system calls"
	onMemory      = "allocating and collecting memory"
	onScheduling  = "scheduling, locks, channels"
	onChecksums   = "checksums of frames and records"
	onElse        = "everything else"
)

// spenders are prefixes of function names, the first that fits counts.
var spenders = []struct{ prefix, on string }{
	{"runtime.memmove", onCopying},
	{"internal/runtime/syscall.", onSystemCalls},
	{"internal/runtime/syscall/", onSystemCalls},
	{"syscall.", onSystemCalls},
	{"github.com/minio/highwayhash.", onChecksums},
	{"hash/crc32.", onChecksums},
	{"penstock/engine/frame.", "frames: writing and reading rows"},
	{"penstock/engine/channel.", "channels: publishing, peeking"},
	{"penstock/engine", "the loop: calls, state, commits"},
	{"main.", "the functions of the stages"},
	{"github.com/nats-io/nats-server/", "nats-server"},
	{"github.com/nats-io/nats.go", "nats.go"},
	{"github.com/dgraph-io/", "Badger"},
}

// memoryWords tell functions of the runtime that have to do with memory from
// those that schedule.
var memoryWords = []string{"malloc", "gc", "scan", "sweep", "mark", "span", "mcache", "mcentral", "mheap", "heapBits", "memclr", "growslice", "newobject", "alloc", "bulkBarrier", "wbBuf"}

func spentOn(function string) string {
	for _, s := range spenders {
		if strings.HasPrefix(function, s.prefix) {
			return s.on
		}
	}
	if !strings.HasPrefix(function, "runtime.") && !strings.HasPrefix(function, "internal/runtime/") {
		return "" // its caller says more
	}
	if slices.ContainsFunc(memoryWords, func(word string) bool { return strings.Contains(function, word) }) {
		return onMemory
	}
	return onScheduling
}

// profileHop runs the hop of 128 bytes in each sync mode, and says where the
// processor time went.
func profileHop(ctx context.Context, s settings, out io.Writer) error {
	work, err := os.MkdirTemp(s.dir, "penstock-bench-")
	if err != nil {
		return fmt.Errorf("create a directory to work in: %w", err)
	}
	defer os.RemoveAll(work)
	b := &bench{settings: s, work: work, progress: out}
	var all []spending
	for _, sync := range syncModes {
		spent, err := profileOnce(ctx, b, sync)
		if err != nil {
			return fmt.Errorf("profile the hop, sync %s: %w", sync.name, err)
		}
		all = append(all, spent)
	}
	text := spendingTable(all)
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if s.json != "" {
		if err := save(s.json, all); err != nil {
			return err
		}
	}
	if s.write == "" {
		return nil
	}
	return writeInto(s.write, "profile", text)
}

func profileOnce(ctx context.Context, b *bench, sync syncMode) (spending, error) {
	var data bytes.Buffer
	if err := pprof.StartCPUProfile(&data); err != nil {
		return spending{}, err
	}
	o, err := hopPipeline(shapes[0], perCall)(ctx, b.fresh(), sync, b.messages)
	pprof.StopCPUProfile()
	if err != nil {
		return spending{}, err
	}
	p, err := profile.Parse(&data)
	if err != nil {
		return spending{}, fmt.Errorf("read the profile: %w", err)
	}
	spent := spending{Sync: sync.name, Messages: b.messages, Took: o.took.Seconds(), Shares: map[string]float64{}}
	for _, sample := range p.Sample {
		seconds := float64(sample.Value[1]) / 1e9
		spent.Busy += seconds
		spent.Shares[sampleOn(sample)] += seconds
	}
	for on := range spent.Shares {
		spent.Shares[on] /= spent.Busy
	}
	return spent, nil
}

// sampleOn goes from the innermost function outwards.
func sampleOn(sample *profile.Sample) string {
	for _, location := range sample.Location {
		for _, line := range location.Line {
			if on := spentOn(line.Function.Name); on != "" {
				return on
			}
		}
	}
	return onElse
}

// spendingTable is Markdown, what costs most first.
func spendingTable(all []spending) string {
	var out strings.Builder
	names := map[string]float64{}
	fmt.Fprint(&out, "| processor time of a hop of 128 bytes |")
	for _, s := range all {
		fmt.Fprintf(&out, " sync %s |", s.Sync)
		for on, share := range s.Shares {
			names[on] += share
		}
	}
	fmt.Fprintf(&out, "\n|---|%s\n| a message, ns |", strings.Repeat("--:|", len(all)))
	for _, s := range all {
		fmt.Fprintf(&out, " %.0f |", s.Busy*1e9/float64(s.Messages))
	}
	fmt.Fprint(&out, "\n| processors busy |")
	for _, s := range all {
		fmt.Fprintf(&out, " %.1f |", s.Busy/s.Took)
	}
	fmt.Fprintln(&out)
	order := slices.SortedFunc(maps.Keys(names), func(a, b string) int { return int(1e6 * (names[b] - names[a])) })
	for _, on := range order {
		fmt.Fprintf(&out, "| %s |", on)
		for _, s := range all {
			fmt.Fprintf(&out, " %.0f %% |", 100*s.Shares[on])
		}
		fmt.Fprintln(&out)
	}
	return out.String()
}
