package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"penstock/cmd/pipeline/internal/letters"
	"penstock/dlq"
)

// socketLetters are letters that the process which runs their pipeline
// reaches.
type socketLetters struct {
	client   controlClient
	pipeline string
	status   statusReport
}

// openSocket asks who is there. It returns errNobody when there is nobody.
func openSocket(ctx context.Context, client controlClient) (*socketLetters, error) {
	s := &socketLetters{client: client}
	answer, err := s.client.get(ctx, "/v1/status")
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	s.pipeline = answer.pipeline
	return s, decodeWhole(answer.body, &s.status)
}

func brokeOff(err error) error {
	return fmt.Errorf("the answer of the running pipeline broke off: %w", err)
}

func (s *socketLetters) about() (string, activity) { return s.pipeline, isRunning }

func (s *socketLetters) stages(context.Context) ([]stageOf, error) {
	var list []stageOf
	for _, stage := range s.status.Stages {
		list = append(list, stageOf{stage.Name, stage.Kind})
	}
	return list, nil
}

func (s *socketLetters) each(ctx context.Context, request letters.Request, fn func(dlq.Letter) error) error {
	most := valueMost
	if request.WithoutValues {
		most = listedMost
	}
	return askLetters(ctx, s.client, routeSelect, request, most, fn)
}

func (s *socketLetters) replay(ctx context.Context, r letters.Request, told func(letters.Outcome) error) error {
	return askLetters(ctx, s.client, routeReplay, r, listedMost, told)
}

func (s *socketLetters) discard(ctx context.Context, f dlq.Filter, told func(letters.Outcome) error) error {
	return askLetters(ctx, s.client, routeDiscard, letters.Request{Filter: f}, listedMost, told)
}

func (s *socketLetters) load(ctx context.Context, r io.Reader) (n int, err error) {
	answer, err := s.client.ask(ctx, http.MethodPost, routeImport, r)
	if err != nil {
		return 0, err
	}
	defer answer.Close()
	err = lines(answer, listedMost, func(i imported) error {
		n = i.N
		return nil
	})
	return n, err
}

// watch calls begun when the process is about to watch, and fn with letters as
// they come, until the run or ctx ends.
func (s *socketLetters) watch(ctx context.Context, f dlq.Filter, from start, begun func(), fn func(dlq.Letter) error) error {
	request := letters.Request{Filter: f}
	request.All = from == fromOldest
	client := s.client
	client.silence = -1
	answer, err := postLetters(ctx, client, routeWatch, request)
	if err != nil {
		return err
	}
	defer answer.Close()
	begun()
	return lines(answer, valueMost, fn)
}

func postLetters(ctx context.Context, c controlClient, route string, request letters.Request) (*answer, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("ask the running pipeline: %w", err)
	}
	return c.ask(ctx, http.MethodPost, route, bytes.NewReader(body))
}

// askLetters posts a request, and calls fn with each line of the answer.
func askLetters[T any](ctx context.Context, c controlClient, route string, request letters.Request, most int, fn func(T) error) error {
	c.silence = max(lettersFor, 2*request.Pause)
	answer, err := postLetters(ctx, c, route, request)
	if err != nil {
		return err
	}
	defer answer.Close()
	return lines(answer, most, fn)
}

// lines reads an answer to its end, and the error that may stand there.
func lines[T any](a *answer, most int, fn func(T) error) error {
	if err := eachLine(a.body, most, fn); err != nil {
		return err
	}
	text, err := url.QueryUnescape(a.trailer.Get(errorTrailer))
	if err != nil {
		return brokeOff(err)
	}
	switch text {
	case "":
		return nil
	case errStopping.Error():
		return errStopping
	}
	return errors.New(text)
}
