package runcmd

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"penstock/cmd/pipeline/internal/render"
	"penstock/engine/observe"
	"penstock/internal/counted"
)

// redraw is the time between two looks at the pipeline, and window how many
// of them a rate is measured over.
const (
	redraw = 200 * time.Millisecond
	window = 5
)

// watch draws the pipeline's progress until the function that it returns is
// called. That one draws the end.
func watch(s *render.Screen, status func() observe.Status, size func() (width, height int, yes bool)) (stop func()) {
	var drawing sync.WaitGroup
	stopped := make(chan struct{})
	p := &progress{}
	draw := func() {
		width, height, ok := size()
		if !ok {
			width, height = 80, 24
		}
		s.Show(p.lines(status(), time.Now(), width, height))
	}
	drawing.Go(func() {
		ticker := time.NewTicker(redraw)
		defer ticker.Stop()
		for {
			draw()
			select {
			case <-ticker.C:
			case <-stopped:
				return
			}
		}
	})
	return func() {
		close(stopped)
		drawing.Wait()
		draw()
		s.Leave()
	}
}

// progress remembers what it takes to tell rates.
type progress struct {
	samples []sample
}

type sample struct {
	at     time.Time
	counts map[string]uint64
}

// handled is the number of messages that the rate of a stage is about.
func handled(stage observe.StageStatus) uint64 {
	if stage.Kind == observe.KindSource {
		return stage.Out
	}
	return stage.In
}

// lines is one line a stage under a heading, cut to the size of the terminal.
func (p *progress) lines(status observe.Status, now time.Time, width, height int) []string {
	if len(status.Stages) == 0 {
		return []string{render.Cut(status.Pipeline+": starting …", width)}
	}
	rates := p.rates(status, now)
	rows := [][]string{{"stage", "in", "out", "rate/s", "lag", "restarts", "dead", ""}}
	for _, stage := range status.Stages {
		in, ended := "-", ""
		if stage.Kind != observe.KindSource {
			in = counted.Number(stage.In)
		}
		if stage.Ended {
			ended = "ended"
		}
		for _, wait := range stage.Waits {
			if wait.Overdue {
				ended = "waits for " + wait.String()
				break
			}
		}
		rows = append(rows, []string{stage.Name, in, counted.Number(stage.Out), rates[stage.Name], counted.Number(stage.Lag),
			counted.Number(stage.Restarts), counted.Number(stage.DeadLetters), ended})
	}
	if most := max(height-2, 2); len(rows) > most {
		hidden := len(rows) - most + 1
		rows = append(rows[:most-1], []string{fmt.Sprintf("… and %d more", hidden)})
	}
	return render.Table(rows, width)
}

// rates tells the messages a second of each stage since the oldest sample.
func (p *progress) rates(status observe.Status, now time.Time) map[string]string {
	latest := sample{at: now, counts: map[string]uint64{}}
	rates := map[string]string{}
	for _, stage := range status.Stages {
		latest.counts[stage.Name] = handled(stage)
		rates[stage.Name] = "-"
		if len(p.samples) == 0 || stage.Ended {
			continue
		}
		// A stage may be back at an earlier count when another run began.
		before, count := p.samples[0].counts[stage.Name], handled(stage)
		if seconds := now.Sub(p.samples[0].at).Seconds(); count >= before && seconds > 0 {
			rates[stage.Name] = rate(float64(count-before) / seconds)
		}
	}
	p.samples = append(p.samples, latest)
	if len(p.samples) > window {
		p.samples = p.samples[1:]
	}
	return rates
}

func rate(perSecond float64) string {
	if perSecond < 10 {
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return counted.Number(uint64(perSecond + 0.5))
}
