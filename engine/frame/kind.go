package frame

import "fmt"

// Kind says what a frame is to those who read the subject that it stands on.
type Kind uint8

// The kinds. A commit and a fence are as old as the format. Those behind them need version 4.
const (
	KindCommit  Kind = iota // what the instance consumed, how its state changed and what it emitted
	KindFence               // a new owner's first commit: it changes nothing and repeats all that a start needs
	KindSeal                // no commit: a claimant closes the subject for the owner before it
	KindRelease             // a commit with which its owner lets the instance go
	KindRetired             // the last commit of an instance whose work goes on in instances of the next layout
	KindClaim               // no commit: the entry of an owner in the register
	kinds
)

var kindNames = [kinds]string{"commit", "fence", "seal", "release", "retired", "claim"}

// String returns the name of k, in lower case.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// IsCommit says that a frame of this kind is one of the instance's commits, which its number counts. A seal and a claim
// are none.
func (k Kind) IsCommit() bool { return k != KindSeal && k != KindClaim }

// Claim ties a frame to the register, the subject on which the owners of an instance enter themselves.
type Claim struct {
	Sequence uint64 // of the owner's entry in the register; 0: the frame does not tell
	Seen     uint64 // of a seal only: sequence of the newest commit that its writer had read; there may be newer ones
}

// isBare says that a frame has nothing of a commit but for its state, as a seal and a claim must.
func (f *Frame) isBare() bool {
	return !f.Ended && !f.UsedUp && !f.EndPhase && f.Steps == 0 && len(f.Inputs) == 0 && len(f.Timers) == 0 && f.Cursor == "" &&
		f.Watermark == (Watermark{}) && f.Tally.IsZero() && len(f.Sections) == 0
}

// checkKind refuses a frame whose kind and content do not fit together. Its state may have been left out.
func (f *Frame) checkKind(state StateKind) error {
	switch {
	case f.Kind >= kinds:
		return fmt.Errorf("%w: unknown %v", ErrCorrupt, f.Kind)
	case !f.Kind.IsCommit() && (state != StateAbsent || !f.isBare()):
		return fmt.Errorf("%w: a %v with something of a commit", ErrCorrupt, f.Kind)
	case f.Kind == KindSeal && (f.Claim.Sequence == 0 || len(f.Notes) > 0):
		return fmt.Errorf("%w: a seal without a claim, or with notes", ErrCorrupt)
	case f.Kind == KindClaim && f.Claim.Sequence != 0:
		return fmt.Errorf("%w: a claim that names a claim", ErrCorrupt)
	case f.Claim.Seen != 0 && f.Kind != KindSeal:
		return fmt.Errorf("%w: a %v that names what was seen before a seal", ErrCorrupt, f.Kind)
	}
	return nil
}
