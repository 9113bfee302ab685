package web

import "testing"

// However few connections there are, some are left to urgent answers.
func TestAnswersLeaveConnectionsToProbes(t *testing.T) {
	t.Parallel()
	for connections, want := range map[int]int{ConnectionsMost: AnswersMost, ConnectionsLeast: 4, 30: 26} {
		if got := answersMost(connections); got != want {
			t.Errorf("%d answers on %d connections, want %d", got, connections, want)
		}
	}
}
