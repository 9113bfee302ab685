package stages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) {
	if os.Getenv(shopDir) != "" {
		shopMain()
	}
	leak.Main(m)
}

// fast makes restarts immediate enough for tests.
var fast = engine.RestartBackoff(supervise.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond, Jitter: -1})

var quiet = slog.New(slog.DiscardHandler)

// runUntil runs the pipeline to its end, or until ctx is done.
func runUntil(t *testing.T, ctx context.Context, p *engine.Pipeline, dir string) (observe.Status, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := p.Run(ctx, engine.Config{Dir: dir, Logger: quiet})
	return p.Status(), err
}

// run runs the pipeline to its end.
func run(t *testing.T, p *engine.Pipeline, dir string) observe.Status {
	t.Helper()
	status, err := runUntil(t, t.Context(), p, dir)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	if !status.Completed {
		t.Fatalf("the run ended and is not complete: %+v", status)
	}
	return status
}

var stageStatus = enginetest.Stage

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// numbered is n lines that differ.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %06d of a file that is read and written again\n", i)
	}
	return b.String()
}

// saved is a state as it comes back after a restart.
func saved[S any](t interface{ Fatal(...any) }, state S) S {
	data, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	var back S
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
}
