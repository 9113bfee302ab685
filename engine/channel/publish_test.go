package channel

import (
	"testing"
)

func TestConflict(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	w.write(1)
	w.write(1)
	for _, expected := range []uint64{0, 1, 3} {
		_, err := c.Publish(w.encodeNext("", 1, 0, nil), expected, Trace{}).Result()
		wantError(t, err, ErrConflict, "fizzbuzz+generator")
	}
	newWriter(t, c.Instance(1)).write(1) // each instance has its own order
}

func TestPublishTwice(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	data := w.encodeNext("", 1, 0, nil)
	first, second := c.Publish(data, 0, Trace{}), c.Publish(data, 0, Trace{})
	<-first.Done()
	<-second.Done()
	if sequence, err := first.Result(); sequence != 1 || err != nil {
		t.Errorf("first: %d, %v", sequence, err)
	}
	_, err := second.Result()
	wantError(t, err, ErrConflict)
	if info, err := c.Info(testContext(t)); err != nil || info.Frames != 1 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestSeveralUnderWay(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	var pending []*Pending
	for i := range 100 {
		pending = append(pending, c.Publish(w.encodeNext("", 1, 0, nil), uint64(i), Trace{}))
	}
	for i, p := range pending {
		if sequence, err := p.Result(); err != nil || sequence != uint64(i+1) {
			t.Fatalf("publish %d: %d, %v", i, sequence, err)
		}
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	s := spec()
	s.MaxBytes = 10_000
	c := openChannel(t, embedded(t), s)
	w := newWriter(t, c)
	var err error
	for range 20 {
		data := w.encodeNext("", 1, 1000, nil)
		var sequence uint64
		if sequence, err = c.Publish(data, w.last, Trace{}).Result(); err != nil {
			break
		}
		w.last = sequence
	}
	wantError(t, err, ErrFull, "fizzbuzz+generator")
	if err := c.Trim(testContext(t), w.last); err != nil {
		t.Fatal(err)
	}
	w.publish(w.encodeNext("", 1, 1000, nil))
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	_, err := c.Publish(make([]byte, b.MaxPayload()), 0, Trace{}).Result()
	wantError(t, err, ErrTooLarge)
	w := newWriter(t, c)
	empty := len(w.encodeNext("", 1, 8, nil))
	w = newWriter(t, c)
	w.publish(w.encodeNext("", 1, int(b.MaxPayload())-headerOverhead-empty, nil))
	if rec, found, err := c.Last(testContext(t)); err != nil || !found || rec.Size < int(b.MaxPayload())-2*headerOverhead {
		t.Errorf("the largest frame: %d, %v, %v", rec.Size, found, err)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	c := openChannel(t, e.broker(t), spec())
	w := newWriter(t, c)
	w.write(1)
	e.Stop()
	data := w.encodeNext("", 1, 0, nil)
	_, err := c.Publish(data, w.last, Trace{}).Result()
	wantError(t, err, ErrUnknown)
	e.Again()
	if err := w.insist(testContext(t), data); err != nil || w.last != 2 {
		t.Fatalf("again: sequence %d, %v", w.last, err)
	}
}
