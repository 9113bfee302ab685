package main

// partitionMutations are those of what stages in partitions rest on.
var partitionMutations = []mutation{
	{"position-of-producer", "a position counts for one instance of the stage that is read", edits{{
		"engine/internal/task/edge.go", `int(p.Instance) == e.From.Number`, `(mutated("position-of-producer") || int(p.Instance) == e.From.Number)`,
	}}},
	{"own-section", "a reader takes the messages of its partition", edits{{
		"engine/channel/look.go", `s.Partition == r.cfg.Partition`, `(s.Partition == r.cfg.Partition || mutated("own-section"))`,
	}}},
	{"end-of-all", "an instance ends when all that it reads have ended", edits{{
		"engine/internal/task/end.go", `		if i.peek() || !i.exhausted() {
			return false
		}
	}
	return true`, `		if !i.peek() && i.exhausted() && i.Replays == nil && mutated("end-of-all") {
			return true
		}
		if i.peek() || !i.exhausted() {
			return false
		}
	}
	return true`,
	}}},
	{"key-groups", "a message goes to the partition of its key, and no other takes it", edits{{
		"engine/internal/task/shuffle.go", `	s.to = plan.PartitionOf(plan.GroupOf(key), s.partitions)`, `	if s.to = plan.PartitionOf(plan.GroupOf(key), s.partitions); mutated("key-groups") {
		s.to = undecided
	}`,
	}, {
		"engine/typed.go", `	if layout.Count == 1 {
		return nil`, `	if layout.Count == 1 || mutated("key-groups") {
		return nil`,
	}}},
}
