package channel

import (
	"context"
	"log/slog"
	"sort"
	"strings"

	"penstock/engine/broker"
)

// Stages returns the names of the stages of a pipeline that have a channel,
// sorted.
func Stages(ctx context.Context, b *broker.Broker, pipeline string) ([]string, error) {
	var streams []string
	err := repeat(ctx, b, slog.Default(), "list the streams of "+pipeline, func(ctx context.Context) (err error) {
		streams, err = streamsOf(ctx, b, pipeline)
		return err
	})
	if err != nil {
		return nil, err
	}
	return StagesOf(pipeline, streams), nil
}

// StagesOf returns the names of the stages that streams with these names are the channels of, sorted.
func StagesOf(pipeline string, streams []string) (stages []string) {
	for _, name := range streams {
		stage, found := strings.CutPrefix(name, pipeline+"+")
		if found && stage != "" && !strings.HasPrefix(stage, "+") { // the dead letters
			stages = append(stages, stage)
		}
	}
	sort.Strings(stages)
	return stages
}
