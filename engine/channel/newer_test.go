package channel

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"penstock/engine/frame"
)

// newer publishes a frame as the next version of the format would have it.
func (w *writer) newer() uint64 {
	data := w.encodeNext("", 1, 0, nil)
	data[4] = frame.Version + 1
	end := len(data) - crc32.Size
	binary.LittleEndian.PutUint32(data[end:], crc32.Checksum(data[:end], crc32.MakeTable(crc32.Castagnoli)))
	return w.publish(data)
}

func TestAFrameOfANewerVersionIsNotCalledDamaged(t *testing.T) {
	t.Parallel()
	isNewer(t, (*writer).newer)
}

// A frame that this build could read is not taken either while it would lose a part of it.
func TestAFrameWithFeaturesOfANewerVersionIsNotTaken(t *testing.T) {
	t.Parallel()
	isNewer(t, func(w *writer) uint64 {
		return w.publish(w.encodeNext("", 1, 0, func(f *frame.Frame) { f.Layout = 1 }))
	})
}

func isNewer(t *testing.T, publish func(*writer) uint64) {
	t.Helper()
	c := openChannel(t, embedded(t), spec())
	w := newWriter(t, c)
	w.write(1)
	publish(w)
	notDamaged := func(err error) {
		t.Helper()
		wantError(t, err, frame.ErrNewerVersion, "fizzbuzz+generator", "sequence 2", "newer version")
		if errors.Is(err, ErrCorruptFrame) || strings.Contains(err.Error(), "Config.Fresh") {
			t.Errorf("it advises to throw the frame away: %v", err)
		}
	}
	_, _, err := c.Last(testContext(t))
	notDamaged(err)
	w.write(1)
	notDamaged(c.Replay(testContext(t), 1, func(Record) error { return nil }))
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 1)
	notDamaged(<-r.result)
}
