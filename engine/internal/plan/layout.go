package plan

// Layout says which instances run a stage: Count of them, numbered from First. Instances are numbered once: with
// another number of partitions a stage gets others, so that what bears the number of one (subjects, corners of the
// store, ids of messages and dead letters) never means another. In the order of their numbers they are partitions 0,
// 1, 2 …
type Layout struct {
	First int `json:"first"`
	Count int `json:"count"`

	// Alone says that the stage had one instance at first, whose names do not tell its number.
	Alone bool `json:"alone,omitempty"`
}

// Next is the layout after this one, with that many instances.
func (l Layout) Next(count int) Layout {
	return Layout{First: l.First + l.Count, Count: count, Alone: l.Alone || !l.IsDivided()}
}

// Has says whether the instance of a number is one of it.
func (l Layout) Has(number int) bool { return number >= l.First && number < l.First+l.Count }

// Partition is that of the instance with a number.
func (l Layout) Partition(number int) int { return number - l.First }

// Number is that of the instance of a partition.
func (l Layout) Number(partition int) int { return l.First + partition }

// PartitionOf is the partition that has a key.
func (l Layout) PartitionOf(key string) int { return PartitionOf(GroupOf(key), l.Count) }

// InstanceOf is the instance that has a key.
func (l Layout) InstanceOf(stage, key string) InstanceID {
	return InstanceID{Stage: stage, Number: l.Number(l.PartitionOf(key))}
}

// Instances are those of a stage, by partition.
func (l Layout) Instances(stage string) []InstanceID {
	list := make([]InstanceID, l.Count)
	for k := range list {
		list[k] = InstanceID{Stage: stage, Number: l.Number(k)}
	}
	return list
}

// IsDivided says that what is written for the stage is written for one of its instances. Readers that never had
// partitions share what is written for all of them.
func (l Layout) IsDivided() bool { return l.First > 0 || l.Count > 1 }

// tellsNumber says that names of the instance with a number tell it, also of one that was before.
func (l Layout) tellsNumber(number int) bool { return number > 0 || l.IsDivided() && !l.Alone }

// Carried are the messages that an instance is credited with besides those of the edges and destinations that it has:
// what went before the number of partitions of a stage was changed.
type Carried struct {
	In  uint64 `json:"in,omitempty"`
	Out uint64 `json:"out,omitempty"`
}

// Lay says in which instances the stage runs, which is what an earlier run has left; the zero layout takes that back.
// Safe for concurrent use.
func (s *Stage) Lay(l Layout) {
	if l == (Layout{}) {
		s.laid.Store(nil)
		return
	}
	s.laid.Store(&l)
}

// Layout is in which instances the stage runs: as declared, unless Lay says otherwise.
func (s *Stage) Layout() Layout {
	if l := s.laid.Load(); l != nil {
		return *l
	}
	return Layout{Count: s.Wished()}
}

// Wished is how many partitions the stage is declared with.
func (s *Stage) Wished() int { return max(s.Options.Partitions, 1) }

// Width is in how many partitions the stage runs, each an instance of its own.
func (s *Stage) Width() int { return s.Layout().Count }
