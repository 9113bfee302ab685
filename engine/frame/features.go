package frame

import (
	"fmt"
	"strings"
)

// Features are the parts of a frame that need version 4. Each is written only where it is used, so that a frame without
// them is as short as ever.
type Features uint16

// The features. Their numbers stand in the frames.
const (
	FeatureKind      Features = 1 << iota // a kind besides commit and fence
	FeatureClaim                          // Claim
	FeatureRun                            // Run
	FeatureLayout                         // Layout
	FeatureWatermark                      // Watermark of the frame
	FeatureInputs                         // watermarks of what was consumed
	FeatureNotes                          // Notes
	FeatureSpaces                         // spaces of changed keys
	FeatureDue                            // timers of changed keys
	endOfFeatures                         // no feature
	featuresKnown    = endOfFeatures - 1
)

var featureNames = []string{"kind", "claim", "run", "layout", "watermark", "watermarks of inputs", "notes", "spaces of keys", "timers of keys"}

// String returns their names, or "none".
func (s Features) String() string {
	var names []string
	for k, name := range featureNames {
		if s&(1<<k) != 0 {
			names = append(names, name)
		}
	}
	if unknown := s &^ featuresKnown; unknown != 0 {
		names = append(names, fmt.Sprintf("%#x", uint16(unknown)))
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// actedOn are the features that the engine of this build acts on, by the kind of the frame.
var actedOn = [kinds]Features{
	KindFence:   FeatureClaim,
	KindSeal:    FeatureKind | FeatureClaim,
	KindClaim:   FeatureKind | FeatureNotes,
	KindRetired: FeatureKind | FeatureLayout,
}

// CheckActed refuses a frame with features that the engine of this build does not act on: it would lose or misread
// them. Its error wraps ErrNewerVersion.
func (f *Frame) CheckActed() error {
	if missing := f.Features() &^ actedOn[f.Kind]; missing != 0 {
		return fmt.Errorf("frame: it is %w: this build does not act on its features (%v): use that version", ErrNewerVersion, missing)
	}
	return nil
}

// Features returns what f uses. A frame of DecodeOutputs shows none of its state's.
func (f *Frame) Features() (s Features) {
	add := func(feature Features, isUsed bool) {
		if isUsed {
			s |= feature
		}
	}
	add(FeatureKind, f.Kind > KindFence)
	add(FeatureClaim, f.Claim.Sequence != 0)
	add(FeatureRun, f.Run != 0)
	add(FeatureLayout, f.Layout != 0)
	add(FeatureWatermark, f.Watermark != Watermark{})
	add(FeatureNotes, len(f.Notes) > 0)
	for i := range f.Inputs {
		add(FeatureInputs, f.Inputs[i].Watermark != Watermark{})
	}
	if f.State.Kind == StateKeyed {
		s |= f.State.features()
	}
	return s
}

func (s *State) features() (used Features) {
	for i := range s.Changes {
		if s.Changes[i].Space != 0 {
			used |= FeatureSpaces
		}
		if len(s.Changes[i].Due) > 0 {
			used |= FeatureDue
		}
	}
	return used
}

// appendFeatures writes what stands before the owner in version 4.
func (f *Frame) appendFeatures(b []byte, used Features) []byte {
	b = appendUvarint(b, uint64(used))
	if used&FeatureKind != 0 {
		b = append(b, byte(f.Kind))
	}
	if used&FeatureClaim != 0 {
		b = appendUvarint(b, f.Claim.Sequence)
		if f.Kind == KindSeal {
			b = appendUvarint(b, f.Claim.Seen)
		}
	}
	if used&FeatureRun != 0 {
		b = appendUvarint(b, f.Run)
	}
	if used&FeatureLayout != 0 {
		b = appendUvarint(b, f.Layout)
	}
	if used&FeatureWatermark != 0 {
		b, _ = f.Watermark.append(b, 0)
	}
	return b
}

// features reads what appendFeatures writes.
func (r *reader) features(f *Frame) {
	r.part("features")
	announced := r.number()
	switch {
	case r.err != nil:
		return
	case announced == 0 || announced > uint64(featuresKnown):
		r.fail(ErrCorrupt, fmt.Sprintf("a frame of version %d cannot have features %#x", versionExtended, announced))
		return
	}
	r.announced = Features(announced)
	if r.has(FeatureKind) {
		if f.Kind == KindFence {
			r.fail(ErrCorrupt, "a fence with another kind")
		}
		if f.Kind = Kind(r.byte()); f.Kind > KindFence {
			r.found |= FeatureKind
		}
	}
	if r.has(FeatureClaim) {
		f.Claim.Sequence = r.worth(FeatureClaim)
		if f.Kind == KindSeal {
			f.Claim.Seen = r.number()
		}
	}
	if r.has(FeatureRun) {
		f.Run = r.worth(FeatureRun)
	}
	if r.has(FeatureLayout) {
		f.Layout = r.worth(FeatureLayout)
	}
	if r.has(FeatureWatermark) {
		f.Watermark = r.watermark(FeatureWatermark, 0)
	}
}

func (r *reader) has(feature Features) bool { return r.announced&feature != 0 }

// worth reads a number that a feature announces.
func (r *reader) worth(feature Features) uint64 {
	v := r.number()
	if v != 0 {
		r.found |= feature
	}
	return v
}

// checkFound refuses a frame that announces a feature and does not use it: there is one way to write a frame.
func (r *reader) checkFound() {
	if unused := r.announced &^ r.found; unused != 0 {
		r.fail(ErrCorrupt, fmt.Sprintf("features that are announced and not used: %v", unused))
	}
}
