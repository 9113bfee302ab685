package fizzbuzz

import "strconv"

// Kind is which of the four words it is.
type Kind string

// The words. A Number is said as it is.
const (
	Fizz     Kind = "fizz"
	Buzz     Kind = "buzz"
	FizzBuzz Kind = "fizzbuzz"
	Number   Kind = "value"
)

// Word is what is said for a number.
type Word struct {
	Kind  Kind   `json:"kind"`
	Value uint64 `json:"value"`
}

// NewWord returns the word for a number.
func NewWord(n uint64) Word {
	switch {
	case n%15 == 0:
		return Word{FizzBuzz, n}
	case n%5 == 0:
		return Word{Buzz, n}
	case n%3 == 0:
		return Word{Fizz, n}
	}
	return Word{Number, n}
}

// String is the word as it is said: "Fizz", "Buzz", "FizzBuzz" or the number.
func (w Word) String() string {
	switch w.Kind {
	case Fizz:
		return "Fizz"
	case Buzz:
		return "Buzz"
	case FizzBuzz:
		return "FizzBuzz"
	}
	return strconv.FormatUint(w.Value, 10)
}
