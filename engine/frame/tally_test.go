package frame

import (
	"bytes"
	"reflect"
	"testing"
)

// counted is a frame with counts.
func counted() *Frame {
	f := golden()
	f.Tally.Dropped = 300
	f.Tally.AddLetters("panic", 2)
	f.Tally.AddLetters("error", 1)
	f.Tally.AddLetters("panic", 1)
	return f
}

// TestGoldenTally pins version 3.
func TestGoldenTally(t *testing.T) {
	t.Parallel()
	const file = "testdata/v3.frame"
	made := encode(t, counted(), None)
	data, f := goldenFile(t, file, made)
	checkFields(t, counted(), f)
	want := Tally{Dropped: 300, Letters: []LetterCount{{"error", 1}, {"panic", 3}}}
	if !reflect.DeepEqual(f.Tally, want) || f.Tally.Total() != 4 {
		t.Errorf("%+v", f.Tally)
	}
	if !bytes.Equal(made, data) {
		t.Errorf("written differently:\n%x, was\n%x", made, data)
	}
	signed := signFor(t, keysOf(t, oneKey), made, "here")
	f, err := Decode(signed)
	if err != nil || !reflect.DeepEqual(f.Tally, want) {
		t.Errorf("signed: %+v, %v", f, err)
	}
	if err := keysOf(t, oneKey).Verify(signed, "here"); err != nil {
		t.Error(err)
	}
}

func TestASumOfTalliesSharesNoMemory(t *testing.T) {
	t.Parallel()
	var a, b Tally
	a.AddLetters("error", 1)
	b.AddLetters("deadline", 2)
	sum := a.Plus(b)
	sum.AddLetters("error", 5)
	if a.Total() != 1 || b.Total() != 2 || sum.Total() != 8 || sum.Letters[0].Reason != "deadline" {
		t.Errorf("%+v %+v %+v", a, b, sum)
	}
}
