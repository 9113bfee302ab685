package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// What a run keeps and tells of an error names its remedy as the program does, for people who know no Go.
func TestWhatIsKeptIsInTheWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	p := engine.New("words")
	refused := remedy.Errorf("the line is long: raise it with %v", remedy.Remedy{Name: "Files.MaxLine"})
	engine.Sink(p.With(fast, engine.Attempts(2)), "sink", enginetest.Values(p, "in", 1),
		func(context.Context, *struct{}, engine.Message[int]) error { return refused })
	var mu sync.Mutex
	var said []string
	memory := enginetest.NewMemory()
	enginetest.Run(t, p, memory.In, func(c *engine.Config) {
		c.Words = func(r remedy.Remedy) string { return map[string]string{"Files.MaxLine": "--max-line"}[r.Name] }
		c.OnEvent = func(e supervise.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Err != nil {
				said = append(said, e.Err.Error())
			}
		}
		c.OnDeadLetter = func(l dlq.Letter) {
			mu.Lock()
			defer mu.Unlock()
			said = append(append(said, l.Error, l.Attempts[0].Error), l.Chain...)
		}
	})
	if len(said) < 5 {
		t.Errorf("too little was said: %q", said)
	}
	for _, text := range said {
		if !strings.Contains(text, "raise it with --max-line") {
			t.Errorf("it says %q", text)
		}
	}
}
