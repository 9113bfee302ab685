package telemetry

import (
	"context"
	"net/http"

	"penstock/internal/userfile"
	"penstock/telemetry/internal/web"
	"penstock/telemetry/record"
)

// Play serves the page with a recording in the place of a pipeline that runs,
// until ctx is done. ready, if not nil, is told where that is.
func Play(ctx context.Context, file string, c Config, ready func(url string)) error {
	c = c.withDefaults()
	if err := checkFile(file); err != nil {
		return err
	}
	listener, err := listen(c)
	if err != nil {
		return err
	}
	if ready != nil {
		ready("http://" + listener.Addr().String() + "/")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", web.Page)
	mux.Handle("GET /assets/", web.Assets())
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /api/v1/mode", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, mode{Recording: true}) })
	mux.HandleFunc("POST /api/v1/graph.dot", drawSent)
	mux.HandleFunc("GET /api/v1/recording", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		http.ServeFile(w, r, file)
	})
	return web.ServeUntil(ctx, c.Logger, listener, c.access().Wrap(mux), func() {})
}

func checkFile(file string) error {
	f, err := userfile.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, _, err = record.CheckRecording(f)
	return err
}

// mode tells the page what it is about.
type mode struct {
	Recording bool `json:"recording"` // and not a pipeline that runs
	Drain     bool `json:"drain"`     // the run can be drained from the page
	Peek      int  `json:"peek"`      // messages that are shown of each stream
}
