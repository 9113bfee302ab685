package channel

import "testing"

// What is left is a prefix, and who comes next goes on behind it.
func TestCut(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := openChannel(t, b, spec())
	ctx := testContext(t)
	if err := c.Cut(ctx, 0); err != nil {
		t.Fatalf("an empty one: %v", err)
	}
	w := newWriter(t, c)
	for range 10 {
		w.write(1)
	}
	for _, after := range []uint64{10, 1000, 7} {
		if err := c.Cut(ctx, after); err != nil {
			t.Fatal(err)
		}
		last, found, err := c.Last(ctx)
		if err != nil || !found || last.Sequence != min(after, 10) {
			t.Fatalf("cut behind %d: the last is %d, %v, %v", after, last.Sequence, found, err)
		}
	}
	if err := b.Restart(ctx); err != nil { // they do not come back
		t.Fatal(err)
	}
	if last, _, err := c.Last(ctx); err != nil || last.Sequence != 7 {
		t.Fatalf("after a restart the last is %d, %v", last.Sequence, err)
	}
	sequence, err := c.Publish(w.encodeNext("", 1, 0, nil), 7, Trace{}).Result()
	if err != nil || sequence != 11 {
		t.Errorf("the next has sequence %d, %v", sequence, err)
	}
}
