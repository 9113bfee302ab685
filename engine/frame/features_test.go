package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// extended uses every feature that a commit can have.
func extended() *Frame {
	f := counted()
	f.Kind, f.Claim, f.Run, f.Layout = KindRelease, Claim{Sequence: 300}, 1<<64-3, 2
	f.Watermark = Watermark{Time: 1_700_000_000_000_000_000, Known: true, Idle: true}
	f.Inputs[0].Watermark = Watermark{Time: 1_700_000_000_500_000_000, Known: true}
	f.Inputs[0].Waiting, f.Inputs[0].Reached = []uint64{1 << 40}, 1<<40+3
	f.Notes = Notes{{Name: "attempts/7", Value: []byte{2}}, {Name: "attempts/9", Deleted: true}, {Name: "empty", Value: []byte{}}}
	f.State.Changes[0].Space = 1
	f.State.Changes[1].Due = []Due{{"close", 1_700_000_010_000_000_000}, {"expire", 1_700_000_000_000_000_000}}
	f.State.Changes[2].Due = []Due{{"close", -1}}
	return f
}

// sealing is a frame that closes a subject for the owner before.
func sealing() *Frame {
	return &Frame{Owner: 1<<64 - 2, Epoch: 8, Commit: 1 << 33, Kind: KindSeal, Claim: Claim{Sequence: 17, Seen: 1 << 20}}
}

// claiming is an entry in the register.
func claiming() *Frame {
	return &Frame{Owner: 1<<64 - 2, Epoch: 8, Kind: KindClaim, Run: 9, Notes: Notes{{Name: "reason", Value: []byte("start")}}}
}

// TestGoldenFeatures pins version 4.
func TestGoldenFeatures(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oneKey)
	const place = "pipeline.stage.0"
	for file, c := range map[string]struct {
		frame *Frame
		made  []byte
	}{
		"v4":              {extended(), encode(t, extended(), None)},
		"v4-authentic":    {extended(), signFor(t, keys, encode(t, extended(), None), place)},
		"v4-authentic-s2": {extended(), signFor(t, keys, encode(t, extended(), S2), place)},
		"v4-seal":         {sealing(), encode(t, sealing(), None)},
		"v4-claim":        {claiming(), encode(t, claiming(), None)},
	} {
		file = "testdata/" + file + ".frame"
		data, f := goldenFile(t, file, c.made)
		checkFields(t, c.frame, f)
		if data[versionAt] != versionExtended || !strings.Contains(file, "s2") && !bytes.Equal(c.made, data) {
			t.Errorf("%s: written differently:\n%x, was\n%x", file, c.made, data)
		}
		if strings.Contains(file, "authentic") {
			if err := keys.Verify(data, place); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// A frame that uses no feature is written as it was before there were any.
func TestFeaturesCostNothingUnlessUsed(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*Frame{"plain": typical(8, 32), "with counts": counted(), "fence": golden()} {
		if data := encode(t, f, None); data[versionAt] >= versionExtended || f.Features() != 0 {
			t.Errorf("%s: version %d, features %v", name, data[versionAt], f.Features())
		}
	}
}

// Each feature alone is told by the frame, by its names, and by a build that does not act on it.
func TestTheEngineRefusesFeaturesThatItDoesNotActOn(t *testing.T) {
	t.Parallel()
	for _, f := range []*Frame{
		golden(), {Kind: KindFence, Claim: Claim{Sequence: 1}}, {Kind: KindSeal, Claim: Claim{Sequence: 1, Seen: 1}},
		{Kind: KindClaim, Notes: Notes{{Name: "reason"}}},
	} {
		if err := f.CheckActed(); err != nil {
			t.Errorf("a %v: %v", f.Kind, err)
		}
	}
	for feature, f := range map[Features]*Frame{
		FeatureKind:      {Kind: KindRetired},
		FeatureClaim:     {Kind: KindCommit, Claim: Claim{Sequence: 1}},
		FeatureRun:       {Run: 1},
		FeatureLayout:    {Layout: 1},
		FeatureWatermark: {Watermark: Watermark{Idle: true}},
		FeatureInputs:    {Inputs: []Position{{}, {Watermark: Watermark{Known: true}}}},
		FeatureNotes:     {Notes: Notes{{Name: "n", Deleted: true}}},
		FeatureSpaces:    {State: State{Kind: StateKeyed, Changes: []Change{{}, {Space: 9}}}},
		FeatureDue:       {State: State{Kind: StateKeyed, Changes: []Change{{Due: []Due{{}}}}}},
	} {
		back, err := Decode(encode(t, f, None))
		if err != nil {
			t.Errorf("%v: %v", feature, err)
			continue
		}
		checkFields(t, f, back)
		err = back.CheckActed()
		switch isActed := actedOn[f.Kind]&feature != 0; {
		case back.Features() != feature:
			t.Errorf("%v: the frame has %v", feature, back.Features())
		case isActed && err != nil, !isActed && (!errors.Is(err, ErrNewerVersion) || !strings.Contains(err.Error(), feature.String())):
			t.Errorf("%v: %v", feature, err)
		}
	}
	if text := (FeatureRun | FeatureDue | endOfFeatures).String(); text != "run, timers of keys, 0x200" || Features(0).String() != "none" {
		t.Errorf("%q", text)
	}
}

func TestKindsHaveNames(t *testing.T) {
	t.Parallel()
	for kind := range kinds + 1 {
		if name := kind.String(); name == "" || (kind == kinds) != strings.HasPrefix(name, "kind ") {
			t.Errorf("kind %d is %q", kind, name)
		}
		if got, want := kind.IsCommit(), kind != KindSeal && kind != KindClaim; got != want {
			t.Errorf("%v is a commit: %v", kind, got)
		}
	}
}

// Applied one after the other, notes come to the same as in a map.
func TestNotesAreApplied(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var notes Notes
		want := map[string]string{}
		for range rapid.IntRange(0, 5).Draw(t, "frames") {
			newer := genNotes().Draw(t, "notes")
			for _, n := range newer {
				if want[n.Name] = string(n.Value); n.Deleted {
					delete(want, n.Name)
				}
			}
			notes = notes.Apply(newer)
		}
		if len(notes) != len(want) || !notes.isWritable() {
			t.Fatalf("%v, want %v", notes, want)
		}
		for name, value := range want {
			if got, found := notes.Get(name); !found || string(got) != value {
				t.Fatalf("%s is %q, %v; want %q", name, got, found, value)
			}
		}
		if _, found := notes.Get("no such note"); found {
			t.Fatal("a note was found that nobody set")
		}
		if again := notes.Apply(notes); len(again) != len(want) {
			t.Fatalf("repeated they are %v", again)
		}
	})
}
