package socket

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
	"penstock/cmd/pipeline/internal/wire"
	"penstock/dlq"
)

// Letters are the dead letters that the process which runs their pipeline reaches.
type Letters struct {
	client   Client
	Pipeline string
	Status   wire.StatusReport
}

// Reach asks who is there. It returns ErrNobody when no process serves it.
func Reach(ctx context.Context, client Client) (*Letters, error) {
	s := &Letters{client: client}
	answer, err := s.client.get(ctx, "/v1/status")
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	s.Pipeline = answer.Pipeline
	return s, decodeWhole(answer.Body, &s.Status)
}

// Each calls fn with the letters that are selected.
func (s *Letters) Each(ctx context.Context, request letters.Request, fn func(dlq.Letter) error) error {
	most := valueMost
	if request.WithoutValues {
		most = listedMost
	}
	return askLetters(ctx, s.client, routeSelect, request, most, fn)
}

// Replay asks for replays, and tells of each letter.
func (s *Letters) Replay(ctx context.Context, r letters.Request, told func(letters.Outcome) error) error {
	return askLetters(ctx, s.client, routeReplay, r, listedMost, told)
}

// Discard deletes letters, and tells of each.
func (s *Letters) Discard(ctx context.Context, f dlq.Filter, told func(letters.Outcome) error) error {
	return askLetters(ctx, s.client, routeDiscard, letters.Request{Filter: f}, listedMost, told)
}

// Load puts exported letters, with force also those that may have had their effect, and tells of those that are
// refused.
func (s *Letters) Load(ctx context.Context, r io.Reader, force bool, refused func(letters.Refusal) error) (n dlq.Imported, err error) {
	client := s.client
	client.silence = lettersFor
	route := routeImport
	if force {
		route += "?" + forceParameter
	}
	answer, err := client.ask(ctx, http.MethodPost, route, r)
	if err != nil {
		return n, err
	}
	defer answer.Close()
	err = lines(answer, listedMost, func(i imported) error {
		switch {
		case i.Refused != nil:
			return refused(*i.Refused)
		case i.Done != nil:
			n = *i.Done
		}
		return nil
	})
	return n, err
}

// Watch calls begun when the process is about to watch, and fn with letters as
// they come, until the run or ctx ends.
func (s *Letters) Watch(ctx context.Context, f dlq.Filter, all bool, begun func(), fn func(dlq.Letter) error) error {
	request := letters.Request{Filter: f}
	request.All = all
	answer, err := postLetters(ctx, s.client, routeWatch, request)
	if err != nil {
		return err
	}
	defer answer.Close()
	answer.patience.end()
	begun()
	return lines(answer, valueMost, fn)
}

func postLetters(ctx context.Context, c Client, route string, request letters.Request) (*Answer, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("ask the running pipeline: %w", err)
	}
	return c.ask(ctx, http.MethodPost, route, bytes.NewReader(body))
}

// askLetters posts a request, and calls fn with each line of the answer.
func askLetters[T any](ctx context.Context, c Client, route string, request letters.Request, most int, fn func(T) error) error {
	c.silence = max(lettersFor, 2*request.Pause)
	answer, err := postLetters(ctx, c, route, request)
	if err != nil {
		return err
	}
	defer answer.Close()
	return lines(answer, most, func(line T) error {
		if route != routeSelect { // the others tell of each letter that they have done something with
			answer.patience.renew()
		}
		return fn(line)
	})
}

// lines reads an answer to its end, and the error that may stand there.
func lines[T any](a *Answer, most int, fn func(T) error) error {
	if err := eachLine(a.Body, most, fn); err != nil {
		return err
	}
	text, err := url.QueryUnescape(a.trailer.Get(errorTrailer))
	if err != nil {
		return brokeOff(err)
	}
	switch text {
	case "":
		return nil
	case ErrStopping.Error():
		return ErrStopping
	}
	return errors.New(text)
}
