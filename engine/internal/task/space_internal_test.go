package task

import "testing"

// The level falls at its bounds, and rises when there is a quarter more.
func TestLevelsOfADisk(t *testing.T) {
	t.Parallel()
	level := SpaceEnough
	for _, step := range []struct {
		free int64
		want int32
	}{
		{1000, SpaceEnough}, {100, SpaceEnough}, {99, spaceLow}, {124, spaceLow}, {125, SpaceEnough},
		{50, spaceLow}, {49, spaceFull}, {61, spaceFull}, {62, spaceLow}, {124, spaceLow}, {0, spaceFull},
		{124, spaceLow}, {125, SpaceEnough}, {0, spaceFull}, {1000, SpaceEnough},
	} {
		if level = levelOf(level, step.free, 100); level != step.want {
			t.Fatalf("%d free: level %d, want %d", step.free, level, step.want)
		}
	}
}

func TestBoundOfADisk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ config, size, want int64 }{
		{0, 800 << 20, 100 << 20}, // an eighth
		{0, 1 << 40, 1 << 30},     // the most
		{300 << 20, 1 << 40, 300 << 20},
		{1, 1 << 40, 256 << 20}, // less would stop the checkpoints first
		{1, 160 << 20, 20 << 20},
	} {
		s := newSpace(&Run{Settings: Settings{MinFree: c.config}})
		if got := s.boundOf(c.size); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.config, c.size, got, c.want)
		}
	}
}
