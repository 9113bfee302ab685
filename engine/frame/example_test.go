package frame_test

import (
	"fmt"

	"penstock/engine/frame"
)

// A stage gathers what it emits, takes back what a failed message emitted, and commits the rest as one frame.
func Example() {
	words := frame.Section{Base: 100}
	words.Append(frame.Message{Time: 1, Value: []byte("Fizz")})
	mark := words.Mark()
	words.Append(frame.Message{Time: 2, Value: []byte("half of a messa")})
	words.Truncate(mark)
	words.Append(frame.Message{Time: 2, Value: []byte("Buzz"), Key: []byte("5")})

	data, err := frame.Append(nil, &frame.Frame{
		Epoch:    1,
		Commit:   42,
		Inputs:   []frame.Position{{Stream: "numbers", Offset: 6}},
		State:    frame.State{Kind: frame.StateWhole, Whole: []byte(`{"done":6}`)},
		Sections: []frame.Section{words},
	}, frame.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	f, err := frame.Decode(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("commit", f.Commit, "consumed", f.Inputs[0].Stream, "up to", f.Inputs[0].Offset)
	for it := f.Sections[0].Messages(); ; {
		offset := it.Offset()
		m, ok := it.Next()
		if !ok {
			break
		}
		fmt.Printf("%d %s %s\n", offset, m.Key, m.Value)
	}
	// Output:
	// commit 42 consumed numbers up to 6
	// 100  Fizz
	// 101 5 Buzz
}
