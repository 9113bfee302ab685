package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"penstock/cmd/pipeline/internal/render"
)

// ErrNobody says that no process serves the control socket.
var ErrNobody = errors.New("no process serves the control socket")

// Client asks the process that runs a pipeline.
type Client struct {
	Dir     string
	Log     *slog.Logger  // says what is waited for; nil: nothing does
	silence time.Duration // how long it may be silent: 0 is controlSilence, less for as long as it likes
}

// controlSilence is how long a running pipeline may leave a question without an
// answer. It answers from memory and from its checkpoints.
const controlSilence = 10 * time.Second

// isWaiting tells the user why nothing is shown yet.
func (c Client) isWaiting() {
	if c.Log != nil {
		c.Log.Warn("waiting for the process that runs the pipeline to answer", "socket", filepath.Join(c.Dir, Name), "at_most", cmp.Or(c.silence, controlSilence))
	}
}

// Answer is a good answer. Close it after use.
type Answer struct {
	io.Closer
	Body     io.Reader
	Pipeline string
	trailer  http.Header // filled in at the end of the body
}

// State asks for the state of a stage.
func (c Client) State(ctx context.Context, stage string, key *string) (*Answer, error) {
	query := ""
	if key != nil {
		query = "?key=" + url.QueryEscape(*key)
	}
	return c.get(ctx, "/v1/state/"+url.PathEscape(stage)+query)
}

// Events asks for the history of a stage, or of all.
func (c Client) Events(ctx context.Context, stage string) (*Answer, error) {
	path := "/v1/events"
	if stage != "" {
		path += "/" + url.PathEscape(stage)
	}
	return c.get(ctx, path)
}

func (c Client) get(ctx context.Context, path string) (*Answer, error) {
	return c.ask(ctx, http.MethodGet, path, nil)
}

func (c Client) ask(ctx context.Context, method, path string, body io.Reader) (*Answer, error) {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := Dial(ctx, c.Dir)
			return &patientConn{conn, max(cmp.Or(c.silence, controlSilence), 0), c.isWaiting}, err
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		ResponseHeaderTimeout:  controlWrite,
		MaxResponseHeaderBytes: controlHeader,
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://control"+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the running pipeline: %w", err)
	}
	response, err := transport.RoundTrip(request)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the running pipeline: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return &Answer{Closer: response.Body, Body: response.Body, Pipeline: render.Escape(response.Header.Get(PipelineHeader)), trailer: response.Trailer}, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return nil, fmt.Errorf("ask the running pipeline: %w", err)
	}
	return nil, errors.New(strings.TrimSpace(string(text)))
}

// CopyTo copies the lines of the answer, without what steers a terminal.
func (a *Answer) CopyTo(w io.Writer) error {
	return copyLines(w, a.Body)
}
