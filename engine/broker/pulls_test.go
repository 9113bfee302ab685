package broker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestCutsOfADeliveryHalveWhatIsPulled(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := &Pulls{logger: slog.New(slog.NewTextHandler(&log, nil)), maxPayload: func() int64 { return 1 << 20 }}
	cut := func(same bool) error {
		p.lost()
		p.restored(same)
		_ = p.Cut()
		return p.Cut() // of another reader
	}
	const most = 8 << 20
	if err := cut(false); err != nil || p.Bytes(most) != most {
		t.Errorf("a server that died: %v, %d bytes", err, p.Bytes(most))
	}
	for k := range mostHalvings {
		err := cut(true)
		want := most >> (k + 1)
		if k == mostHalvings-1 {
			want = 0
		}
		if p.Bytes(most) != want {
			t.Errorf("after %d cuts %d bytes are pulled, want %d", k+1, p.Bytes(most), want)
		}
		if named := err != nil && strings.Contains(err.Error(), "max_pending"); named != (k+1 >= cutsToTell) {
			t.Errorf("after %d cuts: %v", k+1, err)
		}
	}
	if n := strings.Count(log.String(), "max_pending is too small: raise it"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	p.last = p.last.Add(-cutForgotten)
	if p.Bytes(most) != most>>(mostHalvings-1) {
		t.Errorf("after a while %d bytes are pulled", p.Bytes(most))
	}
	p.last = time.Now().Add(-mostHalvings * cutForgotten)
	if p.Bytes(most) != most {
		t.Errorf("long after the last cut %d bytes are pulled", p.Bytes(most))
	}
}

// The loss is noticed before the connection is there again, or after.
func TestCutIsCountedOnceWhicheverIsFirst(t *testing.T) {
	t.Parallel()
	p := &Pulls{logger: slog.New(slog.DiscardHandler), maxPayload: func() int64 { return 1 << 20 }}
	p.lost()
	_ = p.Cut()
	p.restored(true)
	p.lost()
	p.restored(true)
	_ = p.Cut()
	p.lost()
	p.restored(true) // nothing was being delivered
	if p.cuts != 2 || p.Bytes(8) != 2 {
		t.Errorf("%d cuts, %d of 8 bytes", p.cuts, p.Bytes(8))
	}
}
