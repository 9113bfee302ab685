package workload

import (
	"fmt"
	"strconv"
)

const (
	maxInputs       = 8
	maxDestinations = 3 // the stage's own stream, a branch, and that of its ticks
)

// Flow sums up what went through one input or destination of a state.
type Flow struct {
	Seq    uint64 `json:"seq"` // of the last item
	N      uint64 `json:"n"`
	Sum    uint64 `json:"sum"`    // of the items' identities
	Random uint64 `json:"random"` // of what cannot be computed
}

func (f *Flow) add(i Item) {
	f.Seq = i.Seq
	f.N++
	f.Sum += i.Token.hash()
	f.Random += i.hash()
}

// plus adds what two flows carried; it has no last item.
func (f Flow) plus(g Flow) Flow { return Flow{0, f.N + g.N, f.Sum + g.Sum, f.Random + g.Random} }

// Plain is a state without pointers, which the engine undoes by a copy.
type Plain struct {
	In    [maxInputs]Flow       `json:"in"`
	Out   [maxDestinations]Flow `json:"out"`
	Next  uint64                `json:"next,omitempty"` // of a source
	Ticks uint64                `json:"ticks,omitempty"`
}

// Rich is a state with pointers, for stages that read several keys of a producer, or keep items for a while.
type Rich struct {
	Plain
	Last map[string]uint64 `json:"last,omitempty"` // sequence by input and the producer's key
	Held []Item            `json:"held,omitempty"`
}

// account is a state of either type.
type account interface {
	plain() *Plain
	rich() *Rich // nil when it is plain
}

var (
	_ account = (*Plain)(nil)
	_ account = (*Rich)(nil)
)

func (p *Plain) plain() *Plain { return p }
func (p *Plain) rich() *Rich   { return nil }
func (r *Rich) rich() *Rich    { return r }

// OrderError says that a stage read an item which it should not have read then.
type OrderError struct {
	Item  Item
	Input string
	Last  uint64
}

func (e *OrderError) Error() string {
	kind := "reordered"
	if e.Item.Seq == e.Last {
		kind = "doubled"
	}
	return fmt.Sprintf("oracle: %s: item %v of %s key %q has sequence %d, after %d", kind, e.Item.Token, e.Input, e.Item.Key, e.Item.Seq, e.Last)
}

// take counts an item of an input, which must come after all others of its producer and key.
func take(a account, input int, i Item, name string) error {
	flow := &a.plain().In[input]
	last := flow.Seq
	if r := a.rich(); r != nil {
		if r.Last == nil {
			r.Last = map[string]uint64{}
		}
		producer := strconv.Itoa(input) + i.Key
		last = r.Last[producer]
		r.Last[producer] = i.Seq
	}
	if i.Seq <= last {
		return &OrderError{i, name, last}
	}
	flow.add(i)
	return nil
}
