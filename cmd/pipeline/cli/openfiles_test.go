//go:build unix

package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/internal/testing/child"
	"penstock/internal/testing/patient"
)

// openFiles says how many files a test binary that behaves as the command may open.
const openFiles = "PENSTOCK_TEST_OPEN_FILES"

func init() {
	limit, err := strconv.ParseUint(os.Getenv(openFiles), 10, 64)
	if err != nil {
		return // not asked for
	}
	few := syscall.Rlimit{Cur: limit, Max: limit}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		panic(err)
	}
}

// runWithFiles runs the command as a process that may open this many files.
func runWithFiles(t *testing.T, limit string, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", openFiles+"="+limit)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// Too few open files refuse a start, and each look; the number that the refusal names is enough.
func TestTooFewOpenFilesAreRefusedWithANumberThatIsEnough(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	enough := regexp.MustCompile(`may open (\d+) files at a time and needs (\d+): raise its limit \(ulimit -n (\d+) in a shell`)
	for _, verb := range []struct {
		args    string
		refused int
	}{
		{"run --rate=1ms --beats=20 --no-faults", app.ExitFailed},
		{"state worker", app.ExitBlind}, {"events", app.ExitBlind}, {"dlq list", app.ExitBlind}, {"doctor", app.ExitBlind}, {"repair", app.ExitBlind},
	} {
		args := append(strings.Fields(verb.args), "--dir", dir)
		var named []string
		for _, few := range []string{"9", "12", "20"} {
			code, said := runWithFiles(t, few, args...)
			named = enough.FindStringSubmatch(said)
			if code != verb.refused || named == nil || named[1] != few || named[2] != named[3] || strings.Contains(said, `\n`) {
				t.Fatalf("%s with %s files: exit %d\n%s", verb.args, few, code, said)
			}
		}
		if code, said := runWithFiles(t, named[3], args...); code != app.ExitOK {
			t.Errorf("%s with the %s files that it asked for: exit %d\n%s", verb.args, named[3], code, said)
		}
	}
}

// A crowd of connections to every listener of a process that may open few files takes none that the pipeline
// needs: it goes on exactly, saves its state and answers those that watch over it.
func TestACrowdTakesNoFilesFromThePipeline(t *testing.T) {
	t.Parallel()
	const limit, crowd, further = "100", 600, 300
	dir := filepath.Join(t.TempDir(), "data")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "run", "fizzbuzz", "--rate=1ms", "--beats=10000000", "--no-faults", "--dir", dir, "--telemetry=127.0.0.1:0")
	cmd.Env = append(os.Environ(), asCommand+"=1", openFiles+"="+limit)
	run, err := child.Start(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Kill()
	run.Stderr.Await(t, " number=0\n")
	address := regexp.MustCompile(`url=http://([^/\s]+)/`).FindStringSubmatch(run.Stderr.String())[1]
	for i := range crowd {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 0 { // what it may be closed for is the server's choice
			_, _ = io.WriteString(c, "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}
		if c, err := net.Dial("unix", filepath.Join(dir, socket.Name)); err == nil { // a full backlog refuses
			defer c.Close()
		}
	}
	run.Stderr.Await(t, fmt.Sprintf(" number=%d\n", len(printed.FindAllString(run.Stderr.String(), -1))+further))
	saved := checkpoints(t, address)
	patient.Within(t, "a checkpoint, or the end of the process", func() bool {
		return !run.IsAlive() || checkpoints(t, address) != saved
	})
	if !run.IsAlive() {
		t.Fatal(run.Story())
	}
	for _, path := range []string{"healthz", "readyz", "metrics"} {
		if code, body := ask(t, "http://"+address+"/"+path, func(r *http.Request) { r.Close = true }); code != http.StatusOK {
			t.Errorf("/%s: %d %s", path, code, body)
		}
	}
	run.Signal(os.Interrupt)
	if err := run.Err(); err != nil {
		t.Error(err)
	}
	log := run.Stderr.String()
	mustContain(t, "the log", log, "few connections to dashboard", "open_files=100")
	for i, number := range printed.FindAllStringSubmatch(log, -1) {
		if number[1] != strconv.Itoa(i) {
			t.Fatalf("word %d is of number %s", i, number[1])
		}
	}
	if strings.Contains(log, "too many open files") || strings.Contains(log, "level=ERROR") {
		t.Error(log)
	}
}

var printed = regexp.MustCompile(`(?m) number=(\d+)$`)

// checkpoints is what the process says of how many it has taken.
func checkpoints(t *testing.T, address string) string {
	t.Helper()
	_, metrics := ask(t, "http://"+address+"/metrics", func(r *http.Request) { r.Close = true })
	return regexp.MustCompile(`(?m)^penstock_checkpoints_total.*$`).FindString(metrics)
}
