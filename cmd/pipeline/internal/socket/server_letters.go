package socket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"penstock/cmd/pipeline/internal/letters"
	"penstock/cmd/pipeline/internal/words"
	"penstock/dlq"
)

// What the control socket answers about dead letters. A request is a JSON
// object, letters.Request; import takes what export wrote. The answer is JSON
// lines, and errorTrailer tells what went wrong after it had begun.
const (
	lettersPath = "/v1/dead-letters/"

	routeSelect  = lettersPath + "select"  // letters
	routeReplay  = lettersPath + "replay"  // outcomes
	routeDiscard = lettersPath + "discard" // outcomes
	routeImport  = lettersPath + "import"  // imported
	routeWatch   = lettersPath + "watch"   // letters as they come

	errorTrailer = "Penstock-Error"
	errorBytes   = 1 << 10 // of it, before it is escaped: clients refuse long trailers
)

// A request holds one value at most, in base64.
const lettersBody = 2 * dlq.MaxLine

// ErrStopping ends what would not end by itself.
var ErrStopping = errors.New("the pipeline is stopping")

func (c *Server) handleLetters(mux *http.ServeMux) {
	mux.HandleFunc("POST "+routeSelect, c.selectLetters)
	mux.HandleFunc("POST "+routeReplay, c.replayLetters)
	mux.HandleFunc("POST "+routeDiscard, c.discardLetters)
	mux.HandleFunc("POST "+routeImport, c.importLetters)
	mux.HandleFunc("POST "+routeWatch, c.watchLetters)
}

func (c *Server) selectLetters(w http.ResponseWriter, r *http.Request) {
	c.answerLetters(w, r, func(ctx context.Context, q *dlq.Queue, request letters.Request, s *lineStream) error {
		return letters.Each(ctx, q, request, s.letter)
	})
}

func (c *Server) watchLetters(w http.ResponseWriter, r *http.Request) {
	c.answerLetters(w, r, func(ctx context.Context, q *dlq.Queue, request letters.Request, s *lineStream) error {
		s.prompt = true
		if request.All {
			return q.Follow(ctx, request.Filter, s.letter)
		}
		return q.Watch(ctx, request.Filter, s.letter)
	})
}

func (c *Server) replayLetters(w http.ResponseWriter, r *http.Request) {
	c.answerLetters(w, r, func(ctx context.Context, q *dlq.Queue, request letters.Request, s *lineStream) error {
		s.prompt = request.Pause > 0
		return letters.Replay(ctx, q, request, c.hints.Explain, s.outcome)
	})
}

func (c *Server) discardLetters(w http.ResponseWriter, r *http.Request) {
	c.answerLetters(w, r, func(ctx context.Context, q *dlq.Queue, request letters.Request, s *lineStream) error {
		return letters.Discard(ctx, q, request.Filter, s.outcome)
	})
}

// imported is a line of the answer to an import: letters that were refused, and then what was done.
type imported struct {
	Refused *letters.Refusal `json:"refused,omitempty"`
	Done    *dlq.Imported    `json:"done,omitempty"`
}

// refusalsTold bounds the refused letters that an answer names: it is gathered in memory while the request is read.
const refusalsTold = 1000

// forceParameter is the part of the address that has an import take what may have had its effect.
const forceParameter = "force"

func (c *Server) importLetters(w http.ResponseWriter, r *http.Request) {
	q, err := c.pipeline.DeadLetters()
	if err != nil {
		http.Error(w, c.hints.Explain(err), http.StatusServiceUnavailable)
		return
	}
	controller := http.NewResponseController(w)
	if err := controller.EnableFullDuplex(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	body := &patientReader{Reader: r.Body, controller: controller}
	answer := []imported{}
	done, importErr := letters.Import(r.Context(), q, body, r.URL.Query().Has(forceParameter), c.hints.Explain, func(l letters.Refusal) error {
		if len(answer) < refusalsTold {
			answer = append(answer, imported{Refused: &l})
		}
		return nil
	})
	s := c.newLineStream(w)
	s.end(errors.Join(importErr, s.imported(append(answer, imported{Done: &done}))))
	if importErr != nil { // the caller must not stumble over what it still sends
		_ = controller.Flush()
		_, _ = io.Copy(io.Discard, io.LimitReader(body, lettersBody))
	}
}

// answerLetters reads the request, and lets fn write the answer.
func (c *Server) answerLetters(w http.ResponseWriter, r *http.Request, fn func(context.Context, *dlq.Queue, letters.Request, *lineStream) error) {
	var request letters.Request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, lettersBody)).Decode(&request); err != nil {
		http.Error(w, fmt.Sprintf("read the request: %v", err), http.StatusBadRequest)
		return
	}
	q, err := c.pipeline.DeadLetters()
	if err != nil {
		http.Error(w, c.hints.Explain(err), http.StatusServiceUnavailable)
		return
	}
	s := c.newLineStream(w)
	if err := s.begin(); err != nil {
		c.log.Debug("an answer on the control socket was cut off", "error", err)
		panic(http.ErrAbortHandler)
	}
	err = fn(r.Context(), q, request, s)
	if r.Context().Err() != nil {
		err = ErrStopping // or the pipeline listens no more
	}
	s.end(err)
}

// lineStream is an answer of JSON lines, whose error comes at its end.
type lineStream struct {
	hints      words.Hints
	controller *http.ResponseController
	header     http.Header
	out        *bufio.Writer
	prompt     bool // every line at once
}

func (c *Server) newLineStream(w http.ResponseWriter) *lineStream {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Trailer", errorTrailer)
	return &lineStream{
		hints:      c.hints,
		controller: http.NewResponseController(w),
		header:     w.Header(),
		out:        bufio.NewWriterSize(&patient{ResponseWriter: w}, 32<<10),
	}
}

// begin sends the header: the first line may take its time. The request must
// have been read; its time limit would end the answer.
func (s *lineStream) begin() error {
	return errors.Join(s.controller.SetReadDeadline(time.Time{}), s.controller.SetWriteDeadline(time.Now().Add(controlWrite)), s.controller.Flush())
}

func (s *lineStream) letter(l dlq.Letter) error {
	data, err := l.MarshalJSON()
	if err != nil {
		return err
	}
	return s.line(data)
}

func (s *lineStream) outcome(o letters.Outcome) error {
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return s.line(data)
}

func (s *lineStream) imported(answer []imported) error {
	for _, i := range answer {
		data, err := json.Marshal(i)
		if err == nil {
			err = s.line(data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *lineStream) line(data []byte) error {
	_, err := s.out.Write(append(data, '\n'))
	if err == nil && s.prompt {
		err = errors.Join(s.out.Flush(), s.controller.Flush())
	}
	return err
}

// end writes what is left, and the error. Where that is not possible the
// answer breaks off: the caller must not take it for whole.
func (s *lineStream) end(err error) {
	flushed := s.out.Flush()
	if err != nil {
		text := s.hints.Explain(err)
		s.header.Set(errorTrailer, url.QueryEscape(text[:min(len(text), errorBytes)]))
	}
	if errors.Join(flushed, s.controller.SetWriteDeadline(time.Now().Add(controlWrite))) != nil {
		panic(http.ErrAbortHandler)
	}
}

// patientReader gives the caller some time for each piece, and not more.
type patientReader struct {
	io.Reader
	controller *http.ResponseController
}

// Read reads a piece.
func (p *patientReader) Read(data []byte) (int, error) {
	if err := p.controller.SetReadDeadline(time.Now().Add(controlWrite)); err != nil {
		return 0, err
	}
	return p.Reader.Read(data)
}
