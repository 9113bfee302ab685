package workload

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Needs is what a fault asks of the workload.
type Needs struct {
	NoFiles bool   // two owners cannot share a file
	IDs     uint64 // of all sources together; default about 900
}

const (
	minStages = 3
	maxStages = 12
)

// Generate draws a workload.
func Generate(seed uint64, needs Needs) Spec {
	if needs.IDs == 0 {
		needs.IDs = 900
	}
	g := &generator{Spec: Spec{Seed: seed}, Rand: rand.New(rand.NewPCG(seed, 0x70656e73746f636b)), needs: needs}
	g.budget = minStages + g.IntN(maxStages-minStages+1)
	g.Checkpoint = pick(g, 5*time.Millisecond, 20*time.Millisecond, 100*time.Millisecond)
	g.Window = pick(g, 0, 100*time.Millisecond)
	g.Grouped = g.one(3)
	g.sources()
	for len(g.Stages) < g.budget-len(g.loose) {
		g.processor()
	}
	g.sinks()
	return g.Spec
}

type generator struct {
	Spec
	*rand.Rand
	needs  Needs
	budget int
	all    []Input // streams that anybody may read
	loose  []Input // those that nobody reads yet
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

func (g *generator) one(in int) bool { return g.IntN(in) == 0 }

// oneIn is a rate, or 0 half of the time.
func (g *generator) oneIn(least, most uint64) uint64 {
	if g.one(2) {
		return 0
	}
	return least + g.Uint64N(most-least)
}

// add adds a stage; what it writes is loose.
func (g *generator) add(s Stage) {
	k := len(g.Stages)
	s.Name = fmt.Sprintf("%s%d", s.Kind, k)
	s.Messages = pick(g, uint64(25), 100, 2000)
	s.Compress = g.one(4)
	g.Stages = append(g.Stages, s)
	if s.isSink() {
		return
	}
	g.loose = append(g.loose, Input{k, toOwn})
	if s.Branch {
		g.loose = append(g.loose, Input{k, toBranch})
	}
	g.all = append(g.all, g.loose[slices.Index(g.loose, Input{k, toOwn}):]...)
	if s.Ticks {
		g.loose = append(g.loose, Input{k, toTicks}) // read by a sink only: nobody knows how many there will be
	}
}

func (g *generator) sources() {
	n := 1 + g.IntN(3)
	if g.budget < 5 {
		n = 1
	}
	for range n {
		perCall := 1 + g.Uint64N(8)
		g.add(Stage{
			Kind: Source, IDs: max(g.needs.IDs/uint64(n), 1), PerCall: perCall, Branch: n < 3 && g.budget > 5 && g.one(4),
			Pace: time.Duration(perCall) * time.Millisecond / 2, Random: g.oneIn(60, 200),
		})
	}
}

// room says whether a stage may write another stream.
func (g *generator) room() bool { return len(g.loose) < 3 && len(g.Stages)+len(g.loose)+2 < g.budget }

func (g *generator) processor() {
	s := Stage{Kind: pick(g, Pass, Keyed, Keyed, Window)}
	g.read(&s, 1+g.IntN(3))
	s.Branch = g.room() && g.one(3)
	s.Ticks = s.Kind == Pass && g.room() && g.one(2)
	switch s.Kind {
	case Keyed:
		s.Keys = pick(g, uint64(7), 13, 40)
		s.Delay = g.one(2)
	case Pass:
		s.Delay = g.one(4)
		s.Batch = !s.Ticks && !s.Delay && g.one(3)
	}
	s.Drop, s.Copy = g.oneIn(5, 40), g.oneIn(5, 20)
	if g.one(6) {
		s.Slow = time.Millisecond
	}
	if s.Kind != Window {
		s.Poison, s.Shaky, s.Random = g.oneIn(100, 300), g.oneIn(80, 200), g.oneIn(80, 200)
	}
	s.Rich = s.Kind == Window || g.mixes(s) || g.one(4)
	g.add(s)
}

// read gives a stage up to so many inputs, of which the first is one that nobody reads.
func (g *generator) read(s *Stage, n int) {
	readable := slices.DeleteFunc(slices.Clone(g.loose), func(i Input) bool { return i.Destination == toTicks })
	s.Inputs = []Input{g.all[g.IntN(len(g.all))]}
	if len(readable) > 0 {
		s.Inputs[0] = readable[g.IntN(len(readable))]
	}
	for range n - 1 {
		if i := g.all[g.IntN(len(g.all))]; !slices.Contains(s.Inputs, i) {
			s.Inputs = append(s.Inputs, i)
		}
	}
	g.loose = slices.DeleteFunc(g.loose, func(i Input) bool { return slices.Contains(s.Inputs, i) })
}

// mixes says whether a state of the stage sees several keys of a producer.
func (g *generator) mixes(s Stage) bool {
	return slices.ContainsFunc(s.Inputs, func(i Input) bool {
		keys := g.Stages[i.Stage].Keys
		return keys > 0 && keys != s.Keys
	})
}

// sinks reads everything that is loose.
func (g *generator) sinks() {
	ticks := slices.DeleteFunc(slices.Clone(g.loose), func(i Input) bool { return i.Destination != toTicks })
	g.loose = slices.DeleteFunc(g.loose, func(i Input) bool { return i.Destination == toTicks })
	for _, i := range ticks {
		g.add(Stage{Kind: Count, Inputs: []Input{i}})
	}
	exact := File
	if g.needs.NoFiles {
		exact = Publish
	}
	for first := true; len(g.loose) > 0; first = false {
		s := Stage{Kind: pick(g, exact, Publish, Count), Inputs: g.loose[:1]}
		if first {
			s.Kind = exact
		}
		if left := maxStages - len(g.Stages); left <= 1 && len(g.loose) > 1 {
			s.Kind, s.Inputs = Count, g.loose[:min(len(g.loose), maxInputs)]
		}
		s.Inputs = slices.Clone(s.Inputs)
		g.loose = g.loose[len(s.Inputs):]
		s.Rich = s.Kind == Count && (g.mixes(s) || g.one(3))
		if s.Kind == Count && g.one(2) {
			s.Slow = time.Millisecond
			s.Poison, s.Shaky = g.oneIn(200, 400), g.oneIn(80, 200)
		}
		g.add(s)
	}
}
