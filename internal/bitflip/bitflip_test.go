package bitflip

import (
	"bytes"
	"hash/crc64"
	"testing"
)

func TestEachFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	table := crc64.MakeTable(crc64.ISO)
	sound := []byte("what the disk was given")
	sum := crc64.Checksum(sound, table)
	for want := range int64(8 * len(sound)) {
		data := bytes.Clone(sound)
		data[want/8] ^= 1 << (want % 8)
		damaged := bytes.Clone(data)
		bit, found := Find(data, func() bool { return crc64.Checksum(data, table) == sum })
		if !found || bit != want || !bytes.Equal(data, damaged) {
			t.Errorf("bit %d: found %t, bit %d; the data is left as it was: %t", want, found, bit, bytes.Equal(data, damaged))
		}
	}
	if bit, found := Find(sound, func() bool { return false }); found || bit != -1 {
		t.Errorf("bit %d is found where none helps", bit)
	}
}
