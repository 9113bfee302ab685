package frame_test

import (
	"errors"
	"fmt"

	"penstock/engine/frame"
)

// A new owner enters itself in the register, and closes the subject of the commits for the owner before.
func ExampleKind() {
	claim := &frame.Frame{Owner: 11, Epoch: 4, Kind: frame.KindClaim, Notes: frame.Notes{{Name: "reason", Value: []byte("no heartbeat")}}}
	seal := &frame.Frame{Owner: 11, Epoch: 4, Kind: frame.KindSeal, Commit: 907, Claim: frame.Claim{Sequence: 1733, Seen: 1730}}
	for _, f := range []*frame.Frame{claim, seal} {
		data, err := frame.Append(nil, f, frame.Options{})
		if err != nil {
			fmt.Println(err)
			return
		}
		if f, err = frame.Decode(data); err != nil {
			fmt.Println(err)
			return
		}
		reason, _ := f.Notes.Get("reason")
		fmt.Printf("%v of epoch %d in %d bytes: claim %d, has seen %d %s\n", f.Kind, f.Epoch, len(data), f.Claim.Sequence, f.Claim.Seen, reason)
	}
	// Output:
	// claim of epoch 4 in 43 bytes: claim 0, has seen 0 no heartbeat
	// seal of epoch 4 in 26 bytes: claim 1733, has seen 1730
}

// Features of event time are in the format, and a frame that uses one says so.
func ExampleFrame_Features() {
	f := &frame.Frame{
		Commit:    42,
		Watermark: frame.Watermark{Time: 1_700_000_000_000_000_000, Known: true},
		Inputs:    []frame.Position{{Stream: "clicks", Offset: 6, Watermark: frame.Watermark{Idle: true}}},
		State: frame.State{Kind: frame.StateKeyed, Changes: []frame.Change{
			{Key: "user-7", Value: []byte("3"), Due: []frame.Due{{Timer: "close", At: 1_700_000_060_000_000_000}}},
		}},
	}
	fmt.Println(f.Features())
	fmt.Println("a newer build's work:", errors.Is(f.CheckActed(), frame.ErrNewerVersion))
	// Output:
	// watermark, watermarks of inputs, timers of keys
	// a newer build's work: true
}
