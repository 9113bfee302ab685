package simulation

import (
	"penstock/engine/frame"
	"penstock/engine/internal/memory"
)

// registerOracle looks at every frame at the moment the server stores it.
type registerOracle struct {
	world  *registerWorld
	owners map[uint64]uint64 // by epoch

	entry    frame.Frame // the newest of the register
	entryAt  uint64
	entries  map[uint64]int // claims, refreshes not counted, by owner
	claimed  int
	seal     *frame.Frame // the last one, if no fence came after it
	sealed   uint64       // highest epoch that has sealed
	last     frame.Frame  // the last commit
	lastAt   uint64
	messages uint64
	words    registerWords
}

// rivals counts the claims of others.
func (o *registerOracle) rivals(owner uint64) int { return o.claimed - o.entries[owner] }

func (o *registerOracle) wrong(what string, f *frame.Frame) {
	o.world.violate("%s: %v of owner %d, epoch %d, commit %d, claim %d", what, f.Kind, f.Owner, f.Epoch, f.Commit, f.Claim.Sequence)
}

// stored looks at a message of an owner, or at the copy of one.
func (o *registerOracle) stored(subject memory.Subject, sequence uint64, isCopy bool) {
	f := o.world.stream.Frame(sequence)
	if owner, known := o.owners[f.Epoch]; known && owner != f.Owner {
		o.wrong("two owners have one epoch", f)
	}
	o.owners[f.Epoch] = f.Owner
	switch {
	case subject == memory.Register:
		o.claim(f, sequence)
	case f.Kind == frame.KindSeal:
		o.seals(f, isCopy)
	default:
		o.commit(f, sequence)
	}
}

// claim: of the entries one is the newest, and each is above those before it, or repeats the newest.
func (o *registerOracle) claim(f *frame.Frame, sequence uint64) {
	isRefresh := f.Owner == o.entry.Owner && f.Epoch == o.entry.Epoch
	switch {
	case f.Kind != frame.KindClaim:
		o.wrong("in the register", f)
	case !isRefresh && f.Epoch <= max(o.entry.Epoch, o.last.Epoch, o.sealed):
		o.wrong("a claim that is not above those before", f)
	}
	if !isRefresh {
		if o.entries == nil {
			o.entries = map[uint64]int{}
		}
		o.claimed++
		o.entries[f.Owner]++
	}
	o.entry, o.entryAt = *f, sequence
}

// seals: only the newest claim seals, once, and never for its own commits.
func (o *registerOracle) seals(f *frame.Frame, isCopy bool) {
	switch {
	case f.Claim.Sequence != o.entryAt || f.Owner != o.entry.Owner || f.Epoch != o.entry.Epoch:
		o.wrong("a seal whose claim is not the newest", f)
	case f.Epoch <= o.sealed && !isCopy:
		o.wrong("a second seal of a claim", f)
	case isCopy && o.seal == nil: // it closes nothing
		return
	case f.Epoch <= o.last.Epoch:
		o.wrong("a seal behind the fence of its own claim or of a newer one", f)
	case f.Commit > o.last.Commit || f.Claim.Seen > o.lastAt:
		o.wrong("a seal that has seen what is not there", f)
	}
	o.seal, o.sealed = f, max(o.sealed, f.Epoch)
}

// commit: behind a seal comes the fence of its claim, and behind that its commits. All are one chain.
func (o *registerOracle) commit(f *frame.Frame, sequence uint64) {
	isFence := f.Kind == frame.KindFence
	switch {
	case f.Epoch < o.sealed:
		o.wrong("a commit behind a newer seal", f)
	case isFence && (o.seal == nil || f.Owner != o.seal.Owner || f.Epoch != o.seal.Epoch):
		o.wrong("a fence that is not that of the last seal", f)
	case !isFence && o.seal != nil:
		o.wrong("a commit between a seal and its fence", f)
	case !isFence && (f.Owner != o.last.Owner || f.Epoch != o.last.Epoch):
		o.wrong("a commit of another owner than the fence's", f)
	case f.Commit != o.last.Commit+1:
		o.wrong("a commit that is not the next", f)
	}
	s := &f.Sections[0]
	if s.Base != o.messages {
		o.world.violate("its messages go on at offset %d instead of %d", s.Base, o.messages)
	}
	it := s.Messages()
	for m, ok := it.Next(); ok; m, ok = it.Next() {
		v, _ := numbers.Decode(m.Value)
		o.words.Count, o.words.Chain = o.words.Count+1, mix(o.words.Chain, v)
	}
	o.messages = s.Next()
	if have := registerWords(decodeWords(f.State.Whole)); have != o.words {
		o.world.violate("the state is %x, and the messages make %x", have, o.words)
	}
	o.seal, o.last, o.lastAt = nil, *f, sequence
}

// trimmed: the newest entry and the last commit stay.
func (o *registerOracle) trimmed() {
	if first := o.world.stream.First(); first > o.entryAt || first > o.lastAt {
		o.world.violate("a trim below %d takes the newest claim at %d or the last commit at %d", first, o.entryAt, o.lastAt)
	}
}
