package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// An event and the Status name what a stage waits for when that takes longer
// than it should.
func ExampleWait() {
	p := engine.New("waiting")
	letters := enginetest.Values(p, "letters", "a letter")
	opened := make(chan struct{})
	var open sync.Once
	engine.Sink(p, "post", letters, func(context.Context, *struct{}, engine.Message[string]) error {
		select {
		case <-opened:
			return nil
		default:
			return engine.Unavailable(errors.New("the post office is closed"))
		}
	})
	config, remove := exampleConfig()
	defer remove()
	config.WaitPatience = time.Millisecond
	config.OnEvent = func(e supervise.Event) {
		if e.Kind != observe.WaitsLong || e.Child != "post" {
			return
		}
		open.Do(func() {
			for _, wait := range p.Status().Stages[1].Waits {
				if wait.For != observe.WaitUnavailable {
					continue
				}
				fmt.Println(wait.Overdue, strings.Contains(wait.Detail, "the post office is closed"), wait.Readiness)
			}
			close(opened)
		})
	}
	if err := p.Run(context.Background(), config); err != nil {
		fmt.Println(err)
	}
	// Output: true true degraded
}
