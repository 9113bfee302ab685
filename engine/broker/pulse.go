package broker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A server that hangs, for example one that was stopped by a signal, keeps its
// connections, and nats.go notices that late. So it is asked for an answer in
// each interval, and everything that it sends counts as one. The misses are
// counted, not the time: a process that was itself stopped for a while finds one.
const (
	pulseInterval = time.Second
	pulseMisses   = 3
	pulseMost     = time.Minute // of one question, until it is asked again
)

// pulse knows whether a server outside answers. One inside this process is not
// asked: it hangs only when the process does.
type pulse struct {
	stop  context.CancelFunc // nil: it was not started
	asked sync.WaitGroup
	since atomic.Pointer[time.Time] // of the first question without an answer; nil: it answers
}

// Unanswered says that the server has not answered for some seconds, though
// nothing is known of a lost connection, and since when. It stays so until the
// server answers again, also when the connection is lost in between.
func (b *Broker) Unanswered() (since time.Time, is bool) {
	if at := b.pulse.since.Load(); at != nil {
		return *at, true
	}
	return time.Time{}, false
}

func (b *Broker) startPulse() {
	ctx, cancel := context.WithCancel(context.Background())
	b.pulse.stop = cancel
	b.pulse.asked.Go(func() { b.takePulse(ctx) })
}

// end waits for what was started. The connection must be closed, which ends a
// question.
func (p *pulse) end() {
	if p.stop != nil {
		p.stop()
		p.asked.Wait()
	}
}

func (b *Broker) takePulse(ctx context.Context) {
	ticker := time.NewTicker(pulseInterval)
	defer ticker.Stop()
	w := pulseWatch{pulse: &b.pulse}
	answers := make(chan error, 1)
	for {
		select {
		case err := <-answers:
			w.answer(err)
		case now := <-ticker.C:
			if w.tick(now, b.Connected(), atomic.LoadUint64(&b.conn.InMsgs)) {
				b.pulse.asked.Go(func() { answers <- b.ping(ctx) }) // it may wait for a lock that a write holds
			}
		case <-ctx.Done():
			return
		}
	}
}

func (b *Broker) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pulseMost)
	defer cancel()
	return b.conn.FlushWithContext(ctx)
}

// pulseWatch judges the answers.
type pulseWatch struct {
	*pulse
	isAsked bool      // a question is under way
	first   time.Time // of the questions without an answer
	misses  int
	heard   uint64 // messages of the server
}

// tick says whether to ask.
func (w *pulseWatch) tick(now time.Time, isConnected bool, heard uint64) (ask bool) {
	switch {
	case !isConnected:
		w.misses = 0
		return false
	case heard != w.heard:
		w.heard = heard
		w.well()
	case w.isAsked || w.misses > 0:
		if w.misses++; w.misses == pulseMisses && w.since.Load() == nil {
			first := w.first
			w.since.Store(&first)
		}
	}
	if w.misses == 0 {
		w.first = now
	}
	ask = !w.isAsked
	w.isAsked = true
	return ask
}

// answer takes the answer to the question, or why there was none.
func (w *pulseWatch) answer(err error) {
	w.isAsked = false
	if err == nil {
		w.well()
	}
}

func (w *pulseWatch) well() {
	w.misses = 0
	if w.since.Load() != nil {
		w.since.Store(nil)
	}
}
