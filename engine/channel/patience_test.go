package channel

import (
	"context"
	"errors"
	"testing"
	"time"
)

// However long a leader is away, the next try begins before half of that time more is over: its own waits add up to that.
func TestTriesGrowWithTheOutage(t *testing.T) {
	t.Parallel()
	var p patience
	delay, begun := firstDelay, time.Duration(0)
	for try := 1; begun < 15*time.Second; try++ {
		waits := p.get() + delay*12/10 // with the most that jitter adds
		if begun >= 3*time.Second && waits > begun/2 {
			t.Errorf("try %d begins %v into the outage, and the next one %v later", try, begun, waits)
		}
		begun += waits
		p.learn(p.get(), context.DeadlineExceeded)
		delay = min(2*delay, lastDelay)
	}
	for range 100 {
		p.learn(p.get(), nil)
	}
	if p.get() != firstAttempt {
		t.Errorf("after answers a request is waited for %v", p.get())
	}
	for range 100 {
		p.learn(p.get(), context.DeadlineExceeded)
	}
	if p.get() != attemptTimeout {
		t.Errorf("without answers a request is waited for %v", p.get())
	}
}

// A writer, its readers and a checkpoint wait for one leader: their waits grow with the time that passes, not with their
// number.
func TestRequestsSideBySideGrowTheWaitOnce(t *testing.T) {
	t.Parallel()
	var p patience
	waited := p.get()
	for range 5 {
		p.learn(waited, context.DeadlineExceeded)
	}
	if want := time.Duration(float64(firstAttempt) * attemptGrowth); p.get() != want {
		t.Errorf("the next request is waited for %v, want %v", p.get(), want)
	}
}

// A frame that comes after a request has run out, and before the consumer is looked at, was not kept back.
func TestFrameBetweenTwoRequestsIsNotKeptBack(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	r := c.Reader(ReaderConfig{Name: "reader-0"})
	f, err := r.connect(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	newWriter(t, c).write(1) // no request is open
	ctx := testContext(t)
	for !f.owed { // a busy server may not answer in time: then nothing is known
		if err := r.checkConsumer(ctx, f); err != nil {
			t.Fatalf("a frame that nobody has asked for: %v", err)
		}
	}
	for r.checkConsumer(ctx, f) == nil {
		if ctx.Err() != nil {
			t.Fatal("a frame that the next request did not bring is not missed")
		}
	}
}

// A purge under way does not hold up what is published, where the server is another process.
func TestPurgeDoesNotHoldUpPublish(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	purging, release := make(chan struct{}), make(chan struct{})
	s := spec()
	s.MayTrim = func() bool {
		close(purging)
		<-release
		return true
	}
	c := openChannel(t, e.broker(t), s)
	w := newWriter(t, c)
	w.write(1)
	last := w.write(1)
	trimmed := make(chan error, 1)
	go func() { trimmed <- c.Trim(context.WithoutCancel(testContext(t)), last) }()
	<-purging
	go func() { // the frame is published meanwhile, or never
		defer close(release)
		w.write(1)
	}()
	<-release
	if err := <-trimmed; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
