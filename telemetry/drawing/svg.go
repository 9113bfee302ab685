package drawing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"penstock/engine/observe"
	"penstock/telemetry/internal/text"
	"penstock/telemetry/record"
)

// ErrNoGraphviz says that there is nothing that draws a graph.
var ErrNoGraphviz = errors.New("drawing needs Graphviz, which is not installed: install it (apt install graphviz, brew install graphviz), or take graph.dot")

// Bounds of drawing.
const (
	DrawTime  = 10 * time.Second
	drawBytes = 16 << 20
)

// WriteSVG draws what WriteDOT writes, with the system's dot. Without one it
// returns ErrNoGraphviz.
func WriteSVG(ctx context.Context, out io.Writer, g observe.Graph, now *record.Sample) error {
	var text bytes.Buffer
	if err := WriteDOT(&text, g, now); err != nil {
		return err
	}
	svg, err := draw(ctx, text.Bytes())
	if err != nil {
		return err
	}
	_, err = out.Write(svg)
	return err
}

// draw has dot draw a text of its language, within bounds. dot is told nothing
// else: no environment, and by SERVER_NAME that it must not read files.
func draw(ctx context.Context, source []byte) ([]byte, error) {
	path, err := exec.LookPath("dot")
	if err != nil {
		return nil, ErrNoGraphviz
	}
	ctx, cancel := context.WithTimeout(ctx, DrawTime)
	defer cancel()
	command := exec.CommandContext(ctx, path, "-Tsvg")
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "SERVER_NAME=penstock", "LC_ALL=C.UTF-8"}
	command.WaitDelay = time.Second
	command.Stdin = bytes.NewReader(source)
	svg, complaint := &capped{most: drawBytes}, &capped{most: 4 << 10}
	command.Stdout, command.Stderr = svg, complaint
	err = command.Run()
	if err == nil && svg.isCut {
		err = fmt.Errorf("it is larger than %s", text.Size(drawBytes))
	}
	if err != nil {
		return nil, fmt.Errorf("draw the graph with %s: %w: %s", path, errors.Join(ctx.Err(), err), bytes.TrimSpace(complaint.data))
	}
	return svg.data, nil
}

// capped keeps the first bytes of what is written, and no more than most.
type capped struct {
	data  []byte
	most  int
	isCut bool
}

func (c *capped) Write(data []byte) (int, error) {
	fits := min(len(data), c.most-len(c.data))
	c.data = append(c.data, data[:fits]...)
	c.isCut = c.isCut || fits < len(data)
	return len(data), nil
}

// Drawer draws one graph at a time, and each only once: all who ask within a
// sample get the same. Safe for concurrent use.
type Drawer struct {
	turn chan struct{} // holds one thing during a drawing
	text []byte
	svg  []byte
}

// NewDrawer returns a drawer.
func NewDrawer() *Drawer { return &Drawer{turn: make(chan struct{}, 1)} }

// Draw returns the drawing of a text in the language of Graphviz.
func (d *Drawer) Draw(ctx context.Context, text []byte) ([]byte, error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-d.turn }()
	if d.svg != nil && bytes.Equal(text, d.text) {
		return d.svg, nil
	}
	svg, err := draw(ctx, text)
	if err == nil {
		d.text, d.svg = text, svg
	}
	return svg, err
}
