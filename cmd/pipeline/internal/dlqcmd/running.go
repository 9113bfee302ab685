package dlqcmd

import (
	"context"

	"penstock/cmd/pipeline/internal/socket"
)

// socketLetters are letters that the process which runs their pipeline reaches.
type socketLetters struct {
	*socket.Letters
}

// openSocket asks who is there. It returns socket.ErrNobody when no process serves it.
func openSocket(ctx context.Context, client socket.Client) (*socketLetters, error) {
	there, err := socket.Reach(ctx, client)
	if err != nil {
		return nil, err
	}
	return &socketLetters{there}, nil
}

func (s *socketLetters) about() (string, activity) { return s.Pipeline, isRunning }

func (s *socketLetters) stages(context.Context) ([]stageOf, error) {
	var list []stageOf
	for _, stage := range s.Status.Stages {
		list = append(list, stageOf{stage.Name, stage.Kind})
	}
	return list, nil
}
