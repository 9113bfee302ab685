package supervise

// Strategy says which siblings restart together with a child that failed.
type Strategy uint8

const (
	OneForOne  Strategy = iota // none; the zero value
	OneForAll                  // all
	RestForOne                 // those that come after it in Supervisor.Children
)

var strategyNames = [...]string{"one_for_one", "one_for_all", "rest_for_one"}

// String returns the name that OTP gave the strategy.
func (s Strategy) String() string { return nameOf(strategyNames[:], "strategy", uint8(s)) }

// span returns which of n children restart when child i failed: those from low up to, but without, high.
func (s Strategy) span(i, n int) (low, high int) {
	switch s {
	case OneForAll:
		return 0, n
	case RestForOne:
		return i, n
	}
	return i, i + 1
}
