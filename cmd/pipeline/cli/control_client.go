package cli

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

// errNobody says that nobody serves the control socket.
var errNobody = errors.New("nobody serves the control socket")

// controlClient asks the process that runs a pipeline.
type controlClient struct {
	dir     string
	log     *slog.Logger  // says what is waited for; nil: nothing does
	silence time.Duration // how long it may be silent: 0 is controlSilence, less for as long as it likes
}

// controlSilence is how long a running pipeline may leave a question without an
// answer. It answers from memory and from its checkpoints.
const controlSilence = 10 * time.Second

// isWaiting tells the user why nothing is shown yet.
func (c controlClient) isWaiting() {
	if c.log != nil {
		c.log.Warn("waiting for the process that runs the pipeline to answer", "socket", filepath.Join(c.dir, socketName), "at_most", cmp.Or(c.silence, controlSilence))
	}
}

// answer is a good answer. Close it after use.
type answer struct {
	io.Closer
	body     io.Reader
	pipeline string
	trailer  http.Header // filled in at the end of the body
}

// state asks for the state of a stage.
func (c controlClient) state(ctx context.Context, stage string, key *string) (*answer, error) {
	query := ""
	if key != nil {
		query = "?key=" + url.QueryEscape(*key)
	}
	return c.get(ctx, "/v1/state/"+url.PathEscape(stage)+query)
}

// events asks for the history of a stage, or of all.
func (c controlClient) events(ctx context.Context, stage string) (*answer, error) {
	path := "/v1/events"
	if stage != "" {
		path += "/" + url.PathEscape(stage)
	}
	return c.get(ctx, path)
}

func (c controlClient) get(ctx context.Context, path string) (*answer, error) {
	return c.ask(ctx, http.MethodGet, path, nil)
}

func (c controlClient) ask(ctx context.Context, method, path string, body io.Reader) (*answer, error) {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dial(ctx, c.dir)
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
		return nil, fmt.Errorf("%w: %w", errNobody, err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the running pipeline: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return &answer{Closer: response.Body, body: response.Body, pipeline: render.Escape(response.Header.Get(pipelineHeader)), trailer: response.Trailer}, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return nil, fmt.Errorf("ask the running pipeline: %w", err)
	}
	return nil, errors.New(strings.TrimSpace(string(text)))
}

func (a *answer) copyTo(w io.Writer) error {
	return copyLines(w, a.body)
}
