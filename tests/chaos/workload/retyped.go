package workload

// otherState is what a new version of the program might have made of the states. It cannot be read from what the old
// one wrote, nor the other way round.
type otherState struct {
	Rich `json:"other"`
	In   string `json:"in"`
}
