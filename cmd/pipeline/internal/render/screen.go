package render

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// Screen is a terminal with a block of lines at the bottom. What is written to
// it scrolls by above the block. Safe for concurrent use.
type Screen struct {
	Out io.Writer

	mu    sync.Mutex
	block []byte // whole lines
	lines int
}

var _ io.Writer = (*Screen)(nil)

// Write writes whole lines above the block.
func (s *Screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.draw(text); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Show replaces the block. No line may be wider than the terminal.
func (s *Screen) Show(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	up := s.lines
	s.block, s.lines = nil, len(lines)
	for _, line := range lines {
		s.block = append(append(s.block, line...), '\n')
	}
	_ = s.drawFrom(up, nil) // there is nowhere else to tell it
}

// Leave lets go of the block: it stays where it is and scrolls by, too.
func (s *Screen) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.block, s.lines = nil, 0
}

func (s *Screen) draw(above []byte) error { return s.drawFrom(s.lines, above) }

// drawFrom goes up to where the last block begins, clears what is below, and
// writes everything at once, so that nothing flickers.
func (s *Screen) drawFrom(up int, above []byte) error {
	var b bytes.Buffer
	if up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", up)
	}
	b.Write(above)
	b.Write(s.block)
	_, err := s.Out.Write(b.Bytes())
	return err
}
