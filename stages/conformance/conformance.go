package conformance

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/stages/connector"
)

// Side is a system outside, started for one test. Its methods fail the test when they cannot do what they are to do.
type Side interface {
	// Address is what a pipeline needs to find it, in this process and in another one. It may hold the secret.
	Address() string
	// Stop takes it away, as a crash does, and Again brings it back with what it had.
	Stop(t testing.TB)
	Again(t testing.TB)
}

// SourceSide is one that a source reads.
type SourceSide interface {
	Side
	// Put adds values behind those that are there.
	Put(t testing.TB, values ...[]byte)
}

// SinkSide is one that a sink writes.
type SinkSide interface {
	Side
	// Written are all values that are there, in their order.
	Written(t testing.TB) [][]byte
}

// Source is a source to be tested.
type Source struct {
	Name    string // another one for each connector of a test program
	About   connector.About
	Start   func(t testing.TB) SourceSide
	Declare func(scope engine.Scope, name, address string) *engine.Stream[[]byte]
	Secret  string // must not be shown; "": it has none
	Largest int    // bytes of the largest value; 0: not tested
}

// Sink is a sink to be tested.
type Sink struct {
	Name    string
	About   connector.About
	Start   func(t testing.TB) SinkSide
	Declare func(scope engine.Scope, name, address string, in *engine.Stream[[]byte])
	Secret  string
	Largest int
}

// Connector is a Source or a Sink.
type Connector interface {
	name() string
	declare(o order, p *engine.Pipeline)
}

var (
	_ Connector = Source{}
	_ Connector = Sink{}
)

func (s Source) name() string { return s.Name }
func (s Sink) name() string   { return s.Name }

// compare says what is wrong with the values that came, as far as the guarantee forbids it.
func compare(g connector.Guarantee, got, want [][]byte) error {
	if slices.EqualFunc(got, want, bytes.Equal) {
		return nil
	}
	had, times := map[string]int{}, map[string]int{}
	for _, v := range got {
		had[string(v)]++
	}
	for _, v := range want {
		times[string(v)]++
	}
	var lost, doubled, strange []string
	for v, n := range times {
		switch {
		case had[v] < n:
			lost = append(lost, v)
		case had[v] > n:
			doubled = append(doubled, v)
		}
	}
	for v := range had {
		if times[v] == 0 {
			strange = append(strange, v)
		}
	}
	switch {
	case len(lost) > 0 && g > connector.AtMostOnce, len(doubled) > 0 && g != connector.AtLeastOnce, len(strange) > 0:
		return fmt.Errorf("of %d values %d came: lost %s, more than once %s, never sent %s", len(want), len(got), some(lost), some(doubled), some(strange))
	case g == connector.ExactlyOnce:
		return fmt.Errorf("the order of the %d values is not kept: %s", len(want), firstDifference(got, want))
	}
	return nil
}

func firstDifference(got, want [][]byte) string {
	for k := range got {
		if !bytes.Equal(got[k], want[k]) {
			return fmt.Sprintf("value %d is %.40q, not %.40q", k, got[k], want[k])
		}
	}
	return "the end"
}

// some names a few values.
func some(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	slices.Sort(list)
	var b strings.Builder
	for _, v := range list[:min(len(list), 4)] {
		fmt.Fprintf(&b, " %.40q", v)
	}
	return fmt.Sprintf("%d:%s", len(list), b.String())
}
