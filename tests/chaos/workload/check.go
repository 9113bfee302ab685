package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"penstock/dlq"
	"penstock/engine"
)

// Result is a finished run as seen from outside.
type Result struct {
	States    map[string]map[string]Rich // by stage and key; without those of files
	Files     map[string][]byte          // by stage
	Published map[string][]Published     // by stage
	Letters   []dlq.Letter
	// Again: what was lost by agreement was done again, so that what was published twice may differ.
	Again bool
}

// The kinds of what may be wrong.
const (
	Lost      = "lost"
	Doubled   = "doubled"
	Reordered = "reordered"
	Wrong     = "wrong" // something that cannot be, such as an output that its producer knows nothing of
)

// Finding is something that is wrong.
type Finding struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

func (f Finding) String() string { return f.Kind + ": " + f.Text }

// Check says everything that is wrong with a run.
func Check(s Spec, r Result) []Finding {
	c := &checker{spec: &s, result: r, expected: Reference(&s)}
	c.letters()
	for k := range s.Stages {
		switch s.Stages[k].Kind {
		case File:
			c.file(k)
		case Publish:
			c.published(k)
			c.flows(k)
		default:
			c.accounts(k)
			c.flows(k)
		}
	}
	return c.findings
}

type checker struct {
	spec     *Spec
	result   Result
	expected []Expected
	findings []Finding
	dead     map[string]map[string]Flow // by stage and stream
}

func (c *checker) say(kind, format string, args ...any) {
	c.findings = append(c.findings, Finding{kind, fmt.Sprintf(format, args...)})
}

// letters looks whether the dead letters are exactly the poison.
func (c *checker) letters() {
	c.dead = map[string]map[string]Flow{}
	seen := map[string]map[Token]int{}
	for _, l := range c.result.Letters {
		i, err := engine.DefaultCodec[Item]().Decode(l.Value)
		if err != nil {
			c.say(Wrong, "dead letter %s: %v", l.ID(), err)
			continue
		}
		if c.dead[l.Stage] == nil {
			c.dead[l.Stage] = map[string]Flow{}
		}
		flow := c.dead[l.Stage][l.Input]
		flow.add(i)
		c.dead[l.Stage][l.Input] = flow
		place := l.Stage + " from " + l.Input
		if seen[place] == nil {
			seen[place] = map[Token]int{}
		}
		seen[place][i.Token]++
	}
	for k, s := range c.spec.Stages {
		for n, i := range s.Inputs {
			place := s.Name + " from " + c.spec.streamName(i)
			c.compare("dead letters of "+place, seen[place], c.expected[k].Poison[n])
			delete(seen, place)
		}
	}
	for place := range seen {
		c.say(Wrong, "dead letters of %s, where there is no such input", place)
	}
}

// compare compares how often items were seen with a set.
func (c *checker) compare(what string, seen map[Token]int, want map[Token]bool) {
	for t, n := range seen {
		switch {
		case !want[t]:
			c.say(Wrong, "%s: item %v should not be there", what, t)
		case n > 1:
			c.say(Doubled, "%s: item %v is there %d times", what, t, n)
		}
	}
	for t := range want {
		if seen[t] == 0 {
			c.say(Lost, "%s: item %v is missing", what, t)
		}
	}
}

// accounts compares the states of a stage with the reference, key by key.
func (c *checker) accounts(k int) {
	s := &c.spec.Stages[k]
	states, want := c.result.States[s.Name], c.expected[k].Accounts
	if s.Keys == 0 && len(want) == 0 {
		want = map[string]Account{"": {}}
	}
	for key := range states {
		if _, found := want[key]; !found {
			c.say(Wrong, "%s has a state for key %q, which never came", s.Name, key)
		}
	}
	for key, w := range want {
		state := states[key]
		if len(state.Held) > 0 {
			c.say(Lost, "%s still holds %d items", s.Name, len(state.Held))
		}
		for n, i := range s.Inputs {
			if i.Destination != toTicks {
				c.total(fmt.Sprintf("%s, key %q, read of %s", s.Name, key, c.spec.streamName(i)), state.In[n], w.In[n])
			}
		}
		for to := range toTicks {
			c.total(fmt.Sprintf("%s, key %q, wrote to %s", s.Name, key, c.spec.streamName(Input{k, to})), state.Out[to], w.Out[to])
			if state.Out[to].Seq != state.Out[to].N {
				c.say(Wrong, "%s, key %q, wrote %d items, the last with sequence %d", s.Name, key, state.Out[to].N, state.Out[to].Seq)
			}
		}
	}
}

func (c *checker) total(what string, got Flow, want Total) {
	switch {
	case got.N < want.N:
		c.say(Lost, "%s: %d items, want %d", what, got.N, want.N)
	case got.N > want.N:
		c.say(Doubled, "%s: %d items, want %d", what, got.N, want.N)
	case got.Sum != want.Sum:
		c.say(Wrong, "%s: %d items as there should be, but others", what, got.N)
	}
}

// flows compares what a stage has read of each stream with what the producers' states say that they wrote, the random
// numbers included.
func (c *checker) flows(k int) {
	s := &c.spec.Stages[k]
	for n, i := range s.Inputs {
		var read Flow
		for _, state := range c.result.States[s.Name] {
			read = read.plus(state.In[n])
		}
		c.agree(s.Name, i, read)
	}
}

// agree compares what was read of a stream, and the dead letters, with what was written.
func (c *checker) agree(reader string, i Input, read Flow) {
	stream := c.spec.streamName(i)
	read = read.plus(c.dead[reader][stream])
	var written Flow
	for _, state := range c.result.States[c.spec.Stages[i.Stage].Name] {
		written = written.plus(state.Out[i.Destination])
	}
	if read != written {
		kind := Wrong
		switch {
		case read.N < written.N:
			kind = Lost
		case read.N > written.N:
			kind = Doubled
		}
		c.say(kind, "what %s read of %s is not what was written: %+v and %+v", reader, stream, read, written)
	}
}

// file looks at the lines of a file: each item once, in order, and just those that the producer says it wrote.
func (c *checker) file(k int) {
	s := &c.spec.Stages[k]
	var items []Item
	for line := range strings.Lines(string(c.result.Files[s.Name])) {
		i, err := ParseLine(strings.TrimSuffix(line, "\n"))
		if err != nil {
			c.say(Wrong, "file of %s: %v", s.Name, err)
			return
		}
		items = append(items, i)
	}
	c.sink(k, "file of "+s.Name, items)
	c.agree(s.Name, s.Inputs[0], flowOf(items))
}

func flowOf(items []Item) (f Flow) {
	for _, i := range items {
		f = f.plus(Flow{0, 1, i.Token.hash(), i.hash()})
	}
	return f
}

// published looks at what a sink published. What came twice has the same id and is the same.
func (c *checker) published(k int) {
	s := &c.spec.Stages[k]
	byID := map[string]Item{}
	var items []Item
	for _, p := range c.result.Published[s.Name] {
		first, again := byID[p.ID]
		switch {
		case again && first != p.Item && !c.result.Again:
			c.say(Wrong, "%s published %s twice, as %+v and %+v", s.Name, p.ID, first, p.Item)
		case !again:
			byID[p.ID] = p.Item
			items = append(items, p.Item)
		}
	}
	if !c.result.Again {
		c.sink(k, "what "+s.Name+" published", items)
		c.agree(s.Name, s.Inputs[0], flowOf(items))
	}
}

// sink looks at what came out in the end.
func (c *checker) sink(k int, what string, items []Item) {
	seen := map[Token]int{}
	last := map[string]uint64{}
	for _, i := range items {
		if i.Seq <= last[i.Key] && seen[i.Token] == 0 {
			c.say(Reordered, "%s: item %v, key %q, has sequence %d, after %d", what, i.Token, i.Key, i.Seq, last[i.Key])
		}
		last[i.Key] = max(last[i.Key], i.Seq)
		seen[i.Token]++
	}
	if i := c.spec.Stages[k].Inputs[0]; i.Destination != toTicks {
		c.compare(what, seen, c.expected[k].Reads[0])
	}
}

// Kinds counts findings by their kind.
func Kinds(findings []Finding) string {
	count := map[string]int{}
	for _, f := range findings {
		count[f.Kind]++
	}
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%d %s", count[kind], kind))
	}
	return strings.Join(list, ", ")
}
