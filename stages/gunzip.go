package stages

import (
	"bufio"
	"compress/gzip"
	"io"
)

// gunzip reads a gzip file of one part or several. Zeros behind the last part are passed over, as gunzip does: tapes,
// and tools that write whole blocks, fill the last one up with them.
type gunzip struct {
	raw  *bufio.Reader // gzip.Reader reads nothing of it that is behind a part
	part *gzip.Reader
}

func newGunzip(raw io.Reader) (*gunzip, error) {
	buffered := bufio.NewReader(raw)
	part, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, err
	}
	part.Multistream(false)
	return &gunzip{buffered, part}, nil
}

// Read reads on, from part to part.
func (g *gunzip) Read(p []byte) (int, error) {
	for {
		n, err := g.part.Read(p)
		if n > 0 || err != io.EOF {
			if err == io.EOF {
				err = nil // the next call finds what follows
			}
			return n, err
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
}

// next begins the next part. io.EOF says that there is none: zeros alone are none.
func (g *gunzip) next() error {
	zeros := false
	for {
		b, err := g.raw.ReadByte()
		switch {
		case err != nil:
			return err
		case b == 0:
			zeros = true
			continue
		case zeros:
			return gzip.ErrHeader
		}
		if err := g.raw.UnreadByte(); err != nil {
			return err
		}
		if err := g.part.Reset(g.raw); err != nil {
			return err
		}
		g.part.Multistream(false)
		return nil
	}
}
