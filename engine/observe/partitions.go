package observe

import (
	"fmt"

	"penstock/engine/supervise"
)

// OfPartitions is the status of a stage as a whole: counts of all its partitions, and of the rest what is worst.
func OfPartitions(name string, partitions []StageStatus) StageStatus {
	all := partitions[0]
	all.Name, all.Ended, all.Partitions = name, true, partitions
	all.StageCounts, all.Waits = StageCounts{}, nil
	all.StateBytes, all.LargeStates, all.Lag, all.Waiting, all.Uptime, all.Busy = 0, 0, 0, 0, 0, 0
	for k := range partitions {
		p := &partitions[k]
		all.add(&p.StageCounts)
		all.StateBytes += p.StateBytes
		all.LargeStates += p.LargeStates
		all.Lag += p.Lag
		all.Waiting += p.Waiting
		all.Busy += p.Busy
		all.Uptime = max(all.Uptime, p.Uptime)
		all.Epoch = max(all.Epoch, p.Epoch)
		all.Ended = all.Ended && p.Ended
		all.State = worse(states, all.State, p.State)
		all.Breaker = worse(breakers, all.Breaker, p.Breaker)
		if p.Health != "healthy" {
			all.Health = p.Health
		}
	}
	all.UptimeSeconds, all.BusySeconds = all.Uptime.Seconds(), all.Busy.Seconds()
	all.Waits = waitsOf(partitions)
	return all
}

// Of a stage the state is told that asks most for attention.
var (
	states = []string{
		supervise.StateEnded.String(), supervise.StateStopped.String(), supervise.StateRunning.String(), supervise.StateStopping.String(),
		supervise.StateStarting.String(), supervise.StateBackingOff.String(), supervise.StateGivenUp.String(), supervise.StateEscalated.String(),
	}
	breakers = []string{"", "closed", "half-open", "open"}
)

func worse(order []string, a, b string) string {
	for k := len(order) - 1; k >= 0; k-- {
		if order[k] == a || order[k] == b {
			return order[k]
		}
	}
	return a
}

// waitsOf tells of each kind of wait once: the longest, and how many partitions there are besides.
func waitsOf(partitions []StageStatus) (list []Wait) {
	type longest struct {
		wait      Wait
		partition string
		others    int
	}
	var kinds []*longest
	of := map[string]*longest{}
	for k := range partitions {
		for _, w := range partitions[k].Waits {
			l := of[w.For]
			switch {
			case l == nil:
				l = &longest{w, partitions[k].Name, 0}
				of[w.For], kinds = l, append(kinds, l)
				continue
			case w.Since.Before(l.wait.Since):
				l.wait, l.partition = w, partitions[k].Name
			}
			l.others++
		}
	}
	for _, l := range kinds {
		where := l.partition
		if l.others > 0 {
			where += fmt.Sprintf(" and %d more", l.others)
		}
		if l.wait.Detail != "" {
			where += ": " + l.wait.Detail
		}
		l.wait.Detail = where
		list = append(list, l.wait)
	}
	return list
}

// OfInstances is a channel as a whole: what all instances of the writer wrote for all instances of the reader.
func OfInstances(stream, writer, reader string, edges []ChannelStatus) ChannelStatus {
	all := ChannelStatus{Stream: stream, Writer: writer, Reader: reader}
	stored := map[string]int64{} // by writer: each edge of it tells the same
	for k := range edges {
		e := &edges[k]
		all.Written += e.Written
		all.Taken += e.Taken
		all.Waiting += e.Waiting
		all.Held = all.Held || e.Held
		all.Oldest = max(all.Oldest, e.Oldest)
		all.Fill = max(all.Fill, e.Fill)
		if _, ok := stored[e.Writer]; !ok {
			stored[e.Writer] = e.StoredBytes
			all.StoredBytes += e.StoredBytes
		}
	}
	all.OldestSeconds = all.Oldest.Seconds()
	return all
}

func (c *StageCounts) add(other *StageCounts) {
	c.In += other.In
	c.Out += other.Out
	c.Commits += other.Commits
	c.DeadLetters += other.DeadLetters
	c.Dropped += other.Dropped
	c.Foreign += other.Foreign
	c.RestartsBy = added(c.RestartsBy, other.RestartsBy)
	c.DeadLettersBy = added(c.DeadLettersBy, other.DeadLettersBy)
	l, o := &c.LifeCounts, &other.LifeCounts
	l.Starts += o.Starts
	l.Restarts += o.Restarts
	l.Panics += o.Panics
	l.Errors += o.Errors
	l.Unhealthy += o.Unhealthy
	l.Abandoned += o.Abandoned
	l.RecoveryFailures += o.RecoveryFailures
	l.Unavailable += o.Unavailable
	l.FailedAttempts += o.FailedAttempts
	l.Killed += o.Killed
}

func added(sum, more map[string]uint64) map[string]uint64 {
	if sum == nil && len(more) > 0 {
		sum = map[string]uint64{}
	}
	for key, n := range more {
		sum[key] += n
	}
	return sum
}
