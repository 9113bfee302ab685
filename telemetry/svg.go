package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"penstock/engine"
)

// ErrNoGraphviz says that there is nothing that draws a graph.
var ErrNoGraphviz = errors.New("there is no Graphviz: install it (apt install graphviz, brew install graphviz), or take graph.dot")

// Bounds of drawing.
const (
	drawTime  = 10 * time.Second
	drawBytes = 16 << 20
)

// WriteSVG draws what WriteDOT writes, with the system's dot. Without one it
// returns ErrNoGraphviz.
func WriteSVG(ctx context.Context, out io.Writer, g engine.Graph, now *Sample) error {
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
func draw(ctx context.Context, text []byte) ([]byte, error) {
	path, err := exec.LookPath("dot")
	if err != nil {
		return nil, ErrNoGraphviz
	}
	ctx, cancel := context.WithTimeout(ctx, drawTime)
	defer cancel()
	command := exec.CommandContext(ctx, path, "-Tsvg")
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "SERVER_NAME=penstock", "LC_ALL=C.UTF-8"}
	command.WaitDelay = time.Second
	command.Stdin = bytes.NewReader(text)
	svg, complaint := &capped{most: drawBytes}, &capped{most: 4 << 10}
	command.Stdout, command.Stderr = svg, complaint
	err = command.Run()
	if err == nil && svg.isCut {
		err = fmt.Errorf("it is larger than %s", size(drawBytes))
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

// drawer draws one graph at a time, and each only once: all who ask within a
// sample get the same. Safe for concurrent use.
type drawer struct {
	turn chan struct{} // holds one thing while somebody draws
	text []byte
	svg  []byte
}

func newDrawer() *drawer { return &drawer{turn: make(chan struct{}, 1)} }

func (d *drawer) draw(ctx context.Context, text []byte) ([]byte, error) {
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

// drawingPolicy lets a drawing that is opened by itself have and do nothing.
const drawingPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

func (s *Server) graphSVG(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	now := s.recorder.newest()
	_ = WriteDOT(&text, s.pipeline.Graph(), &now) // a buffer takes everything
	ctx, cancel := context.WithTimeout(r.Context(), drawTime)
	defer cancel()
	svg, err := s.drawer.draw(ctx, text.Bytes())
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", drawingPolicy)
	_, _ = w.Write(svg)
}
