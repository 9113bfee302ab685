package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// All who wait share one answer, however many they are: two more answers at most
// are made before the newest client has its own.
func TestAScrapeDoesNotWaitBehindAFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most, flood = 2, 200
		var made atomic.Int64
		step := make(chan struct{})
		handler := Gathered(most, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n := made.Add(1)
			<-step
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprintf(w, "answer %d", n)
		}))
		for i := range flood {
			go func() {
				for range 3 { // one after the other, as in a pipeline
					request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
					request.Header.Set("Accept", fmt.Sprintf("text/plain;q=0.%d", i+1)) // no two alike
					handler.ServeHTTP(httptest.NewRecorder(), request)
				}
			}()
		}
		synctest.Wait() // all places are taken, and the others wait
		scrape := make(chan *httptest.ResponseRecorder, 1)
		go func() {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			scrape <- w
		}()
		synctest.Wait()
		for range most + 1 {
			step <- struct{}{}
			synctest.Wait()
		}
		select {
		case w := <-scrape:
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/plain" || w.Body.Len() == 0 {
				t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
			}
		default:
			t.Errorf("%d answers were made, and none for the scrape", made.Load())
		}
		close(step)
	})
}

// What is shared was begun after each of its clients asked.
func TestASharedAnswerIsNotOlderThanTheQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		step := make(chan struct{})
		handler := Gathered(1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n := made.Add(1)
			<-step
			fmt.Fprint(w, n)
		}))
		answers := make(chan string, 3)
		for range 3 { // the first is begun before the others ask
			go func() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
				answers <- w.Body.String()
			}()
			synctest.Wait()
		}
		close(step)
		if got := <-answers + <-answers + <-answers; got != "122" {
			t.Errorf("the answers are %s", got)
		}
	})
}

func TestGzipIsForThoseWhoTakeIt(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "identity, gzip": true, "gzip;q=0.5": true, "br, gzip; q=0": false, "deflate": false, "gzip;q=x": true,
	} {
		if takesGzip(header) != want {
			t.Errorf("%q: %v", header, !want)
		}
	}
}
