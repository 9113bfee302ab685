package main

import (
	"os"
	"strconv"
	"time"

	"penstock/engine"
)

// lines writes to standard output, each write as one line with a prefix.
type lines struct{ prefix string }

func (l lines) Write(text []byte) (int, error) {
	line := append([]byte(l.prefix), text...)
	if line[len(line)-1] != '\n' {
		line = append(line, '\n')
	}
	if _, err := os.Stdout.Write(line); err != nil {
		return 0, err
	}
	return len(text), nil
}

func say(text string) { _, _ = lines{}.Write([]byte(text)) }

// tell says the number of commits whenever it has grown, until done is closed.
func tell(p *engine.Pipeline, done <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	told := uint64(0)
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		commits := uint64(0)
		for _, stage := range p.Status().Stages {
			commits += stage.Commits
		}
		if commits > told {
			told = commits
			say("progress " + strconv.FormatUint(commits, 10))
		}
	}
}
