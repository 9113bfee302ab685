package inflight

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// If this fails, the file has another form: give it the next number (format.InFlight), and read this one too.
func TestTheFormOfTheFileStaysTheSame(t *testing.T) {
	t.Parallel()
	h := head{generation: 7, boot: 9, instances: []string{"numbers.0", "sink.0"}}
	data := h.encode()
	if len(data) != 4096+2*slotSize {
		t.Errorf("%d bytes", len(data))
	}
	const rest = "00000000000000000000000000000000"
	want := "5053544b494e464c" + "01000000" + "02000000" + "11000000" + "8c5c3f5c" + "0700000000000000" + "0900000000000000" +
		strings.Repeat(rest, 5) + "0000000000000000" + "096e756d626572732e300673696e6b2e30"
	if got := fmt.Sprintf("%x", bytes.TrimRight(data, "\x00")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := checksum(h.seed(1), uint64(Message)|2<<32, 50, 3, 1000); got != 0x12420be910d60973 {
		t.Errorf("the sum of a call is %#x", got)
	}
}
