package web

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/common/expfmt"
)

// Gathered makes so many answers at once, each of them in memory: a client that
// reads slowly keeps no other from asking. All who wait for the same answer get
// one, which is begun after they asked. So no client waits behind a flood of requests.
func Gathered(most int, next http.Handler) http.Handler {
	return &gathered{
		next:    next,
		shared:  make(chan struct{}, most),
		chosen:  make(chan struct{}, most),
		waiting: map[answerKind]*sharedAnswer{},
	}
}

// gathered is safe for concurrent use.
type gathered struct {
	next   http.Handler
	shared chan struct{} // places for answers of everything
	chosen chan struct{} // places for answers that a query chooses, which are not shared

	mu      sync.Mutex
	waiting map[answerKind]*sharedAnswer // that are not begun
}

// answerKind says what of a request changes the answer. There are few kinds, whatever clients send.
type answerKind struct {
	format     expfmt.Format
	compressed bool
}

// sharedAnswer can be read when done is closed.
type sharedAnswer struct {
	done chan struct{}
	keptAnswer
}

func (g *gathered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		g.serveChosen(w, r)
		return
	}
	kind := answerKind{
		format:     expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...),
		compressed: takesGzip(r.Header.Get("Accept-Encoding")),
	}
	g.mu.Lock()
	answer, isWaiting := g.waiting[kind]
	if !isWaiting {
		answer = &sharedAnswer{make(chan struct{}), newKeptAnswer()}
		g.waiting[kind] = answer
	}
	g.mu.Unlock()
	if !isWaiting {
		g.make(answer, kind, r)
	}
	select {
	case <-answer.done:
		answer.writeTo(w)
	case <-r.Context().Done():
	}
}

// takesGzip is false for gzip;q=0.
func takesGzip(acceptEncoding string) bool {
	for one := range strings.SplitSeq(acceptEncoding, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return err != nil || q > 0
	}
	return false
}

// make does not end with the client whose request it is: others wait, too.
func (g *gathered) make(answer *sharedAnswer, kind answerKind, r *http.Request) {
	g.shared <- struct{}{}
	g.mu.Lock()
	delete(g.waiting, kind)
	g.mu.Unlock()
	defer func() {
		<-g.shared
		close(answer.done)
	}()
	r = r.Clone(context.WithoutCancel(r.Context()))
	r.Header.Set("Accept-Encoding", "identity")
	if kind.compressed {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	answer.code = http.StatusInternalServerError // for the others, if it panics
	g.next.ServeHTTP(&answer.keptAnswer, r)
	answer.finish()
}

func (g *gathered) serveChosen(w http.ResponseWriter, r *http.Request) {
	select {
	case g.chosen <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	kept := newKeptAnswer()
	func() {
		defer func() { <-g.chosen }()
		g.next.ServeHTTP(&kept, r)
	}()
	kept.finish()
	kept.writeTo(w)
}

// keptAnswer is an http.ResponseWriter that writes nothing yet.
type keptAnswer struct {
	header    http.Header
	code      int
	isDecided bool // the code is
	body      bytes.Buffer
}

func newKeptAnswer() keptAnswer { return keptAnswer{header: http.Header{}} }

func (k *keptAnswer) Header() http.Header { return k.header }

func (k *keptAnswer) WriteHeader(code int) {
	if !k.isDecided {
		k.code, k.isDecided = code, true
	}
}

func (k *keptAnswer) Write(data []byte) (int, error) { return k.body.Write(data) }

func (k *keptAnswer) finish() { k.WriteHeader(http.StatusOK) }

func (k *keptAnswer) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), k.header)
	w.WriteHeader(k.code)
	_, _ = w.Write(k.body.Bytes())
}
