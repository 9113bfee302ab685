package cli

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// screen is a terminal with a block of lines at the bottom. What is written to
// it scrolls by above the block. Safe for concurrent use.
type screen struct {
	out io.Writer

	mu    sync.Mutex
	block []byte // whole lines
	lines int
}

var _ io.Writer = (*screen)(nil)

// Write writes whole lines above the block.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.draw(text); err != nil {
		return 0, err
	}
	return len(text), nil
}

// show replaces the block. No line may be wider than the terminal.
func (s *screen) show(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	up := s.lines
	s.block, s.lines = nil, len(lines)
	for _, line := range lines {
		s.block = append(append(s.block, line...), '\n')
	}
	_ = s.drawFrom(up, nil) // there is nowhere else to tell it
}

// leave lets go of the block: it stays where it is and scrolls by, too.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.block, s.lines = nil, 0
}

func (s *screen) draw(above []byte) error { return s.drawFrom(s.lines, above) }

// drawFrom goes up to where the last block begins, clears what is below, and
// writes everything at once, so that nothing flickers.
func (s *screen) drawFrom(up int, above []byte) error {
	var b bytes.Buffer
	if up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", up)
	}
	b.Write(above)
	b.Write(s.block)
	_, err := s.out.Write(b.Bytes())
	return err
}
