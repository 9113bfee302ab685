package main

// mutations are those of package rule, and more.
var mutations = []mutation{
	{name: "position-check", what: "readers skip what is below their position"},
	{name: "base-offset-check", what: "a section that starts too high is a gap"},
	{name: "fencing", what: "commits expect a sequence, owners begin with a fence"},
	{name: "trim-bound", what: "trimming stops at what readers and checkpoint need"},
	{name: "foreign-check", what: "messages of other clients are set aside"},

	{"own-frame", "a last frame is ours only if its owner is", edits{{
		"engine/internal/task/resolve.go", `last.Frame.Owner == t.Ownership.Owner && last.Frame.Commit ==`, `(mutated("own-frame") || last.Frame.Owner == t.Ownership.Owner) && last.Frame.Commit ==`,
	}}},
	{"read-back", "a commit without an answer is read back before it is sent again", edits{{
		"engine/internal/task/resolve.go", `	case errors.Is(err, channel.ErrStreamLost):`, `	case mutated("read-back") && err == nil && found:
		t.Txn.expected = last.Sequence
	case errors.Is(err, channel.ErrStreamLost):`,
	}}},
	{"fenced", "an owner that was fenced stops", edits{{
		"engine/internal/task/resolve.go", `case found && last.Sequence != t.Txn.expected,`, `case mutated("fenced") && found && last.Sequence > t.Txn.expected:
		t.Txn.expected = last.Sequence
	case found && last.Sequence != t.Txn.expected,`,
	}}},
	{"foreign-tail", "a commit is sent again behind the messages of other clients", edits{{
		"engine/internal/task/resolve.go", `	t.Txn.publish(t.Channel, last.Tail)`, `	if mutated("foreign-tail") {
		last.Tail = t.Txn.expected
	}
	t.Txn.publish(t.Channel, last.Tail)`,
	}}},
	{"abandoned", "a function that was left behind has no effect", edits{{
		"engine/internal/task/custody.go", `func (h *custody) leave() bool { return `, `func (h *custody) leave() bool { return mutated("abandoned") || `,
	}, {
		"engine/internal/task/custody.go", `func (h *custody) Abandoned() bool { return `, `func (h *custody) Abandoned() bool { return !mutated("abandoned") && `,
	}}},
	{"end-under-way", "a stage whose last frame came while it was not watched is over", edits{{
		"engine/internal/task/life.go", `	if t.Phase.IsEnded() {
		return ErrOver`, `	if t.Phase.IsEnded() && !mutated("end-under-way") {
		return ErrOver`,
	}}},
	{"used-up", "a stage that has read another to its end goes on when that end is lost", edits{{
		"engine/internal/task/reopen.go", `control.UsedUp && !producer`, `control.UsedUp && !mutated("used-up") && !producer`,
	}}},
	{"take-back", "what took messages that a cut of the power took is taken back", edits{{
		"engine/internal/task/takeback.go", `if err != nil || !found || in.fits(last.Frame) {`, `if err != nil || !found || in.fits(last.Frame) || mutated("take-back") {`,
	}}},
	{"trim-end", "trimming waits for the checkpoint of a reader that has ended", edits{{
		"engine/internal/task/trim.go", `r.hasEnded() && r.endIsKept()`, `r.hasEnded() && (mutated("trim-end") || r.endIsKept())`,
	}}},
	{"file-sync", "the server's files are synced before a checkpoint", edits{{
		"engine/internal/checkpointer/checkpointer.go", `	if err := c.Server.SyncFiles(ctx); err != nil {`, `	sync := c.Server.SyncFiles
	if mutated("file-sync") {
		sync = func(context.Context) error { return nil }
	}
	if err := sync(ctx); err != nil {`,
	}}},
	{"announce", "it is noted how far the keys of a checkpoint reach", edits{{
		"engine/internal/checkpointer/checkpointer.go", `	if c.Server.Embedded() {
		return nil`, `	if c.Server.Embedded() || mutated("announce") {
		return nil`,
	}}},
	{"trim-own", "trimming stops at the own checkpoint", edits{{
		"engine/internal/task/trim.go", `before := min(own, last)`, `before := min(own, last)
	if mutated("trim-own") {
		before = last
	}`,
	}}},
	{"give-up", "states of a checkpoint that failed come with the next", edits{{
		"engine/internal/view/view.go", `		if _, newer := c.dirty.Get(string(key)); !newer {`, `		if _, newer := c.dirty.Get(string(key)); !newer && !mutated("give-up") {`,
	}}},
	{"dense", "the frames after a checkpoint are dense", edits{{
		"engine/internal/view/catchup.go", `if r.Frame.Commit != expected {`, `if mutated("dense") {
			expected = r.Frame.Commit
		} else if r.Frame.Commit != expected {`,
	}}},
	{"living-owner", "commits of a living owner while another one catches up", edits{{
		"engine/internal/view/catchup.go", `if expected <= last.Frame.Commit {`, `if expected <= last.Frame.Commit || mutated("living-owner") && expected != last.Frame.Commit+1 {`,
	}}},
	{"ahead", "a reader that is ahead of its channel refuses", edits{{
		"engine/channel/consumer.go", `	if s := r.section(rec.Frame); s != nil && s.Next() < r.end() {`, `	if s := r.section(rec.Frame); s != nil && s.Next() < r.end() && !mutated("ahead") {`,
	}, {
		"engine/channel/look.go", `	if r.taken > 0 && item.sequence > r.taken {`, `	if r.taken > 0 && item.sequence > r.taken && !mutated("ahead") {`,
	}, {
		"engine/internal/task/instance_open.go", `taken > in.WrittenTo(k) {`, `taken > in.WrittenTo(k) && !mutated("ahead") {`,
	}}},
	{"hint", "a position's sequence is only a hint", edits{{
		"engine/channel/look.go", `	if !r.whole {
		r.fromStart = true`, `	if mutated("hint") {
		r.expected = found
		return nil
	}
	if !r.whole {
		r.fromStart = true`,
	}, {
		"engine/channel/consumer.go", `		start = r.cfg.Position.Sequence - 1`, `		start = r.cfg.Position.Sequence - 1
		if mutated("hint") {
			start += 2
		}`,
	}}},
	{"needs", "a position names the first frame that is still needed", edits{{
		"engine/internal/task/input.go", `	if i.frame < len(i.queue) {
		p.Sequence = i.queue[i.frame].Sequence
	}`, `	if i.frame < len(i.queue) {
		p.Sequence = i.queue[i.frame].Sequence
		if mutated("needs") {
			p.Sequence++
		}
	}`,
	}}},
	{"fence-inputs", "a fence repeats the positions", edits{{
		"engine/internal/task/takeover.go", `	fence.Timers = append`, `	if mutated("fence-inputs") {
		fence.Inputs = nil
	}
	fence.Timers = append`,
	}}},
	{"rewind", "a rollback puts the inputs back too", edits{{
		"engine/internal/task/task.go", `	for _, i := range t.Inbox.Inputs {
		i.rewind()
	}`, `	for _, i := range t.Inbox.Inputs {
		if !mutated("rewind") {
			i.rewind()
		}
	}`,
	}}},
	{"undo-outputs", "what a failed call emitted is dropped", edits{{
		"engine/internal/task/retry.go", `	t.Batch.undo()`, `	if !mutated("undo-outputs") {
		t.Batch.undo()
	}`,
	}}},
	{"overtaken", "a message that waits keeps those of its key behind it", edits{{
		"engine/internal/task/overtake.go", `behind := known && i.waitingKeys[key] > 0`, `behind := known && i.waitingKeys[key] > 0 && !mutated("overtaken")`,
	}}},
	{"gaps", "the position tells which messages still wait", edits{{
		"engine/internal/task/input.go", `	if len(i.waiting) > 0 || i.next < i.gaps.Reached {
		i.addWaiting(&p)`, `	if !mutated("gaps") && (len(i.waiting) > 0 || i.next < i.gaps.Reached) {
		i.addWaiting(&p)`,
	}}},
	{"launched", "states that are under way can be read", edits{{
		"engine/internal/view/view.go", `	c.launched = changes
`, `	if !mutated("launched") {
		c.launched = changes
	}
`,
	}}},
	{"flushing", "states that are being checkpointed can be read", edits{{
		"engine/internal/view/view.go", `		data, found = c.flushing.Get(key)`, `		data, found = c.flushing.Get(key)
		if mutated("flushing") {
			data, found = nil, false
		}`,
	}}},
	{"record-last", "the store writes checkpoints after their keys", edits{{
		"engine/internal/memory/disk.go", `	for _, u := range updates {
		for _, change`, `	for _, u := range updates {
		if mutated("record-last") {
			d.put(u.Vault.(*Corner).at("checkpoint", ""), encode(u.Checkpoint))
		}
		for _, change`,
	}}},
	{"let-go", "a frame that is used up makes room for the next one", edits{{
		"engine/internal/task/input.go", `	i.letGo(i.frame - 1)`, `	if !mutated("let-go") {
		i.letGo(i.frame - 1)
	}`,
	}, {
		"engine/internal/task/input.go", `	if i.loaded && i.next ==`, `	if !mutated("let-go") && i.loaded && i.next ==`,
	}}},
}
