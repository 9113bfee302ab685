package main

import (
	"errors"
	"slices"
	"time"
)

// streams are those of the pipeline and of the plain publisher.
var streams = append([]string{"leaders+numbers", "leaders+sums", "leaders+sink"}, plainStreams...)

// round is one kill, and how long both stood still after it.
type round struct {
	fallen          string
	plain, pipeline time.Duration
}

// round lets a server lead all streams, kills it, and waits until both have gone on.
func (o options) round(c *cluster, k int, plain, pipeline *pauses) (r round, err error) {
	if err := c.gather(k); err != nil {
		return r, err
	}
	const steady = 100 // beats
	for _, p := range []*pauses{plain, pipeline} {
		if err := p.await(steady); err != nil {
			return r, err
		}
	}
	plain.reset()
	pipeline.reset()
	began := time.Now()
	if r.fallen, err = c.fell(k, o); err != nil {
		return r, err
	}
	time.Sleep(time.Until(began.Add(o.every)))
	for _, p := range []*pauses{plain, pipeline} {
		if err := p.await(1); err != nil { // so that the pause under way counts as a whole
			return r, err
		}
	}
	r.plain, r.pipeline = plain.longest(), pipeline.longest()
	return r, nil
}

// await returns after some steps of progress from now on.
func (p *pauses) await(steps int) error {
	from := p.count()
	for limit := time.Now().Add(2 * time.Minute); p.count() < from+steps; time.Sleep(beat) {
		if time.Now().After(limit) {
			return errors.New("there is no progress for two minutes")
		}
	}
	return nil
}

type rounds []round

// ratio is that of the medians: one kill that meets a busy machine moves neither.
func (list rounds) ratio() float64 {
	plain := list.median(func(r round) time.Duration { return r.plain })
	pipeline := list.median(func(r round) time.Duration { return r.pipeline })
	return pipeline.Seconds() / plain.Seconds()
}

// median is the middle pause, of two the mean.
func (list rounds) median(of func(round) time.Duration) time.Duration {
	var all []time.Duration
	for _, r := range list {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
