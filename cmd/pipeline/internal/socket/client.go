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

// RefusedError is the answer of the process that what was asked for is not there, or cannot be done.
type RefusedError struct{ text string }

func (e *RefusedError) Error() string { return e.text }

// Client asks the process that runs a pipeline.
type Client struct {
	Dir     string
	Log     *slog.Logger  // says what is waited for; nil: nothing does
	silence time.Duration // how long it may be waited for; 0 is controlSilence
}

// controlSilence is how long a running pipeline may leave a question without an
// answer. It answers from memory and from its checkpoints.
const controlSilence = 10 * time.Second

// path is where the control socket is.
func (c Client) path() string { return filepath.Join(c.Dir, Name) }

// isWaiting tells the user why nothing is shown yet.
func (c Client) isWaiting() {
	if c.Log != nil {
		c.Log.Warn("waiting for the process that runs the pipeline to answer", "socket", c.path(), "at_most", cmp.Or(c.silence, controlSilence))
	}
}

// Answer is a good answer. Close it after use.
type Answer struct {
	io.Closer
	Body     io.Reader
	Pipeline string
	patience *patience
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
	patience := newPatience(c.path(), cmp.Or(c.silence, controlSilence), c.isWaiting)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := Dial(ctx, c.Dir)
			return &patientConn{conn, patience}, err
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
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
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, c.refusal(response)
	}
	pipeline := render.Escape(response.Header.Get(PipelineHeader))
	if pipeline == "" {
		return nil, errors.Join(fmt.Errorf("what answers on the control socket %s is no pipeline: it names none; see which process serves it", c.path()), response.Body.Close())
	}
	return &Answer{Closer: response.Body, Body: response.Body, Pipeline: pipeline, patience: patience, trailer: response.Trailer}, nil
}

// refusal is the text of an answer that is not good. No pipeline sends its callers elsewhere, or says nothing.
func (c Client) refusal(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("ask the running pipeline: %w", err)
	}
	said := strings.TrimSpace(string(text))
	if said == "" || response.StatusCode < http.StatusBadRequest {
		return fmt.Errorf("what answers on the control socket %s is no pipeline: its answer is %q; see which process serves it", c.path(), response.Status)
	}
	return &RefusedError{said}
}

// CopyTo copies the lines of the answer, without what steers a terminal.
func (a *Answer) CopyTo(w io.Writer) error {
	return copyLines(w, a.Body)
}
