package quarantine

import (
	"math"
	"testing"
	"time"
)

func TestRoomBeforeSuspects(t *testing.T) {
	t.Parallel()
	l := suspects{}.add(suspect{Message: Message{"s", "in", 100}, Near: 10}).add(suspect{Message: Message{"s", "in", 150}, Near: 20}).add(suspect{Message: Message{"s", "other", 5}, Near: 5})
	for _, c := range []struct {
		stage, input     string
		offset, distance uint64
	}{
		{"s", "in", 0, 90}, {"s", "in", 89, 1}, {"s", "in", 90, 0}, {"s", "in", 100, 0},
		{"s", "in", 101, 29}, {"s", "in", 130, 0}, {"s", "in", 150, 0}, {"s", "in", 151, math.MaxUint64},
		{"s", "other", 0, 0}, {"s", "other", 6, math.MaxUint64}, {"another", "in", 100, math.MaxUint64},
	} {
		if got := l.distance(Message{c.stage, c.input, c.offset}); got != c.distance {
			t.Errorf("%s, %s at %d: distance %d, want %d", c.stage, c.input, c.offset, got, c.distance)
		}
	}
}

func TestNeighbourhoodBelowZero(t *testing.T) {
	t.Parallel()
	l := suspects{{Message: Message{"s", "in", 3}, Near: 32}}
	for offset := range uint64(4) {
		if l.distance(Message{"s", "in", offset}) != 0 {
			t.Errorf("%d is far", offset)
		}
	}
}

func TestSuspectsAreAddedOnceAndLeaveInOrder(t *testing.T) {
	t.Parallel()
	l := suspects{}.add(suspect{Message: Message{"s", "in", 7}, Near: 32}).add(suspect{Message: Message{"s", "in", 7}, Near: 128}).add(suspect{Message: Message{"s", "in", 7}, Near: 64}).add(suspect{Message: Message{"s", "in", 9}, Near: 1})
	if len(l) != 2 || l[0].Near != 128 || l.widest() != 128 {
		t.Fatalf("%+v", l)
	}
	if l = l.from(Message{"s", "in", 7}); len(l) != 2 {
		t.Errorf("%+v left before 7", l)
	}
	if l = l.from(Message{"s", "other", 100}); len(l) != 2 {
		t.Errorf("%+v left for another input", l)
	}
	if l = l.from(Message{"s", "in", 8}); len(l) != 1 || l[0].Offset != 9 {
		t.Errorf("%+v left from 8 on", l)
	}
	if l = l.from(Message{"s", "in", 10}); len(l) != 0 || l.widest() != 0 {
		t.Errorf("%+v left from 10 on", l)
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	l := suspects{
		{Message: Message{"s", "in", 10_000}, Near: 50},
		{Message: Message{"s", "in", 20_000}, Near: 8000, Late: 1},
		{Message: Message{"s", "in", 30_000}, Near: 32, Late: 100},
	}
	for offset, want := range map[uint64][2]time.Duration{
		9949: {Pause, Pause}, 9950: {NearPause, NearPause}, 9999: {NearPause, NearPause}, 10_000: {suspectPause, heldPause},
		12_000: {Pause, Pause}, 20_000: {suspectPause, 2 * heldPause}, 20_001: {Pause, Pause},
		30_000: {suspectPause, suspectPause},
	} {
		if all, held := l.pauses(Message{"s", "in", offset}); all != want[0] || held != want[1] {
			t.Errorf("after %d: %v and %v, want %v", offset, all, held, want)
		}
	}
}
