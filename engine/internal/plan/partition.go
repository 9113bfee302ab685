package plan

import (
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// KeyGroups is how many groups the keys of a stage are divided into. A partition has the keys of a range of groups. The
// number is part of what is stored.
const KeyGroups = 1024

// GroupOf is the group of a key.
func GroupOf(key string) int { return int(xxhash.Sum64String(key) % KeyGroups) }

// PartitionOf is the partition that has a group.
func PartitionOf(group, partitions int) int { return group * partitions / KeyGroups }

// checkPartitions refuses what cannot be divided.
func (s *Stage) checkPartitions(say sayFunc) {
	if n := s.Options.Partitions; n < 0 || n > KeyGroups {
		say("stage %q has %d partitions: it can have 1 to %d, and 0 for one on each core", s.Name, n, KeyGroups)
		return
	}
	if err := s.CheckWidth(s.Wished()); err != nil {
		say("%v", err)
	}
}

// CheckWidth says why the stage, as it is declared, cannot run in that many partitions.
func (s *Stage) CheckWidth(n int) error {
	switch {
	case n == 1:
	case s.Kind == KindSource:
		return fmt.Errorf("source %q has %d partitions: a source runs as one instance; declare several sources instead", s.Name, n)
	case !s.Keyed() && !s.Stateless:
		return fmt.Errorf("stage %q has %d partitions and one state: read its inputs by engine.KeyBy, or give it the state struct{}", s.Name, n)
	case len(s.Timers) > 0:
		return fmt.Errorf("stage %q has %d partitions and an engine.Every timer, which would come to each of them: declare the timer in a stage of its own", s.Name, n)
	}
	return nil
}

// Destination is what one instance writes for one reader: all of a stream, which readers without partitions share, or
// what an instance of a reader gets.
type Destination struct {
	Stream   *Stream
	Reader   *Stage // nil: all readers without partitions
	Instance int    // the number of the reader's
}

// Branch names the destination, without its instance, in the frames of the writer. No branch can be called so, except
// one that a reader does not divide.
func (d Destination) Branch() string {
	if d.Reader == nil {
		return d.Stream.Branch
	}
	return DividedBranch(d.Stream.Branch, d.Reader.Name)
}

// DividedBranch names what a writer has for the instances of one reader.
func DividedBranch(branch, reader string) string { return branch + ">" + reader }

// Destinations are those of each instance of the stage, in the order of its streams.
func (s *Stage) Destinations() []Destination {
	var list []Destination
	for _, stream := range s.Streams() {
		list = append(list, stream.Destinations()...)
	}
	return list
}

// Destinations begin with that of all readers without partitions, unless there is none of these, but others.
func (s *Stream) Destinations() []Destination {
	var list []Destination
	for _, i := range s.Readers {
		layout := i.Stage.Layout()
		if !layout.IsDivided() {
			continue
		}
		for n := range layout.Count {
			list = append(list, Destination{s, i.Stage, layout.Number(n)})
		}
	}
	if s.IsShared() {
		list = append([]Destination{{Stream: s}}, list...)
	}
	return list
}

// IsShared says that there is a destination with all of the stream's messages.
func (s *Stream) IsShared() bool {
	for _, i := range s.Readers {
		if !i.Stage.Layout().IsDivided() {
			return true
		}
	}
	return len(s.Readers) == 0
}

// Edge is one input of an instance: what one instance of another stage writes for it.
type Edge struct {
	Input *Input
	From  InstanceID
	To    InstanceID
}

// Edges are those of an instance, in the order of the inputs.
func (s *Stage) Edges(to InstanceID) []Edge {
	var list []Edge
	for _, i := range s.Inputs {
		for _, from := range i.Stream.Owner.Instances() {
			list = append(list, Edge{i, from, to})
		}
	}
	return list
}

// String names what the edge brings among all that the stage reads: its offsets are dense. It is the name of the stream
// where neither side has partitions.
func (e Edge) String() string {
	name := e.Input.Stream.String()
	if e.Input.Stream.Internal != "" {
		return name
	}
	if e.Input.Stream.Owner.Layout().tellsNumber(e.From.Number) {
		name += "." + e.From.number()
	}
	if e.Input.Stage.Layout().tellsNumber(e.To.Number) {
		name += ">" + e.To.String()
	}
	return name
}

// ID names a message of the edge for good, among all that the pipeline's stages take.
func (e Edge) ID(offset uint64) string {
	return e.Input.Stream.Pipeline.Name + "." + e.String() + ":" + strconv.FormatUint(offset, 10)
}

// Message names a message of the edge among those that its instance takes: "orders.0:33".
func (e Edge) Message(offset uint64) string {
	return Message(e.Input.Stream.String(), e.From.Number, offset)
}

// Destination is the place of the edge among the destinations of its writer.
func (e Edge) Destination() int {
	for k, d := range e.Input.Stream.Owner.Destinations() {
		if d.Stream != e.Input.Stream {
			continue
		}
		if !e.Input.Stage.Layout().IsDivided() && d.Reader == nil || d.Reader == e.Input.Stage && d.Instance == e.To.Number {
			return k
		}
	}
	panic("engine: stage " + e.From.Stage + " writes nothing for " + e.To.String())
}

// Partition is what the frames of the writer call the reader's instance.
func (e Edge) Partition() uint32 { return uint32(e.To.Number) }

// Branch is that of the edge in the frames of its writer.
func (e Edge) Branch() string {
	d := Destination{Stream: e.Input.Stream}
	if e.Input.Stage.Layout().IsDivided() {
		d.Reader = e.Input.Stage
	}
	return d.Branch()
}

// Consumer names the JetStream consumer of the edge.
func (e Edge) Consumer() string {
	name := e.To.Consumer(e.Input.Stream.Branch)
	if e.From.Number > 0 {
		name += "++" + e.From.number()
	}
	return name
}
