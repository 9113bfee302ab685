package task

import (
	"math"
	"testing"
	"time"
)

func TestRoomBeforeSuspects(t *testing.T) {
	t.Parallel()
	l := suspects{}.add(suspect{Stage: "s", Input: "in", Offset: 100, Near: 10}).add(suspect{Stage: "s", Input: "in", Offset: 150, Near: 20}).add(suspect{Stage: "s", Input: "other", Offset: 5, Near: 5})
	for _, c := range []struct {
		stage, input string
		offset, room uint64
	}{
		{"s", "in", 0, 90}, {"s", "in", 89, 1}, {"s", "in", 90, 0}, {"s", "in", 100, 0},
		{"s", "in", 101, 29}, {"s", "in", 130, 0}, {"s", "in", 150, 0}, {"s", "in", 151, math.MaxUint64},
		{"s", "other", 0, 0}, {"s", "other", 6, math.MaxUint64}, {"another", "in", 100, math.MaxUint64},
	} {
		if got := l.room(c.stage, c.input, c.offset); got != c.room {
			t.Errorf("%s, %s at %d: room for %d, want %d", c.stage, c.input, c.offset, got, c.room)
		}
	}
}

func TestNeighbourhoodBelowZero(t *testing.T) {
	t.Parallel()
	l := suspects{{Stage: "s", Input: "in", Offset: 3, Near: 32}}
	for offset := range uint64(4) {
		if l.room("s", "in", offset) != 0 {
			t.Errorf("%d is far", offset)
		}
	}
}

func TestSuspectsAreAddedOnceAndLeaveInOrder(t *testing.T) {
	t.Parallel()
	l := suspects{}.add(suspect{Stage: "s", Input: "in", Offset: 7, Near: 32}).add(suspect{Stage: "s", Input: "in", Offset: 7, Near: 128}).add(suspect{Stage: "s", Input: "in", Offset: 7, Near: 64}).add(suspect{Stage: "s", Input: "in", Offset: 9, Near: 1})
	if len(l) != 2 || l[0].Near != 128 || l.widest() != 128 {
		t.Fatalf("%+v", l)
	}
	if l = l.from("s", "in", 7); len(l) != 2 {
		t.Errorf("%+v left before 7", l)
	}
	if l = l.from("s", "other", 100); len(l) != 2 {
		t.Errorf("%+v left for another input", l)
	}
	if l = l.from("s", "in", 8); len(l) != 1 || l[0].Offset != 9 {
		t.Errorf("%+v left from 8 on", l)
	}
	if l = l.from("s", "in", 10); len(l) != 0 || l.widest() != 0 {
		t.Errorf("%+v left from 10 on", l)
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	l := suspects{
		{Stage: "s", Input: "in", Offset: 10_000, Near: 50},
		{Stage: "s", Input: "in", Offset: 20_000, Near: 8000, Late: 1},
		{Stage: "s", Input: "in", Offset: 30_000, Near: 32, Late: 100},
	}
	for offset, want := range map[uint64][2]time.Duration{
		9949: {quarantinePause, quarantinePause}, 9950: {nearPause, nearPause}, 9999: {nearPause, nearPause}, 10_000: {suspectPause, heldPause},
		12_000: {quarantinePause, quarantinePause}, 20_000: {suspectPause, 2 * heldPause}, 20_001: {quarantinePause, quarantinePause},
		30_000: {suspectPause, suspectPause},
	} {
		if all, held := l.pauses("s", "in", offset); all != want[0] || held != want[1] {
			t.Errorf("after %d: %v and %v, want %v", offset, all, held, want)
		}
	}
}
