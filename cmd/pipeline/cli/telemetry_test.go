package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/showcmd"
	"penstock/internal/testing/natsserver"
	"penstock/telemetry"
)

// taken is an address on which another program listens.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// url is where a command says that the page is.
func (r *running) url() string {
	r.t.Helper()
	r.stderr.Await(r.t, "url=http")
	return regexp.MustCompile(`url=(\S+/)`).FindStringSubmatch(r.stderr.String())[1]
}

func ask(t *testing.T, url string, change func(*http.Request)) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // a server that never answers is a failure, with its name
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

func (r *running) interrupt() {
	r.t.Helper()
	r.signals <- os.Interrupt
	if end := r.wait(); end.code != app.ExitOK {
		r.t.Errorf("exit %d\n%s", end.code, end.err)
	}
}

func tokenFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

const aToken = "0123456789abcdef"

// A run that cannot show itself as it was told does not begin.
func TestTelemetryThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"taken":                 {[]string{"--telemetry", taken(t)}, []string{"another program", "name another one", "--telemetry=off"}},
		"no port":               {[]string{"--telemetry", "localhost"}, []string{"host:port", "127.0.0.1:9900"}},
		"open, without a token": {[]string{"--telemetry", "0.0.0.0:0"}, []string{"token", "--telemetry-token-file", "127.0.0.1"}},
		"no token file":         {[]string{"--telemetry", "0.0.0.0:0", "--telemetry-token-file", "/none/token"}, []string{"/none/token"}},
		"an empty token file":   {[]string{"--telemetry", "0.0.0.0:0", "--telemetry-token-file", tokenFile(t, "\n", 0o600)}, []string{"0 characters", "16", "openssl"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCommand(t)
			r := c.run(append([]string{"run", "--beats=1"}, test.args...)...)
			if r.code == app.ExitOK || r.stdout != "" {
				t.Errorf("exit %d, %q", r.code, r.stdout)
			}
			mustContain(t, "the error", r.err, test.want...)
			if _, err := os.Stat(c.dir("fizzbuzz")); !os.IsNotExist(err) {
				t.Errorf("it did something all the same: %v", err)
			}
		})
	}
}

// The default port may be taken, by another pipeline for one.
func TestTelemetryTakesTheNextPort(t *testing.T) {
	if l, err := net.Listen("tcp", telemetry.DefaultAddress); err == nil { // else it is taken already
		defer l.Close()
	}
	c := newCommand(t)
	c.env[showcmd.Variable] = ""
	r := c.start("run", "--rate=10ms", "--beats=100000")
	url := r.url()
	if code, body := ask(t, url+"healthz", nil); code != 200 || body != "ok\n" || strings.Contains(url, ":9900") {
		t.Errorf("%s: %d %s", url, code, body)
	}
	r.interrupt()
	mustContain(t, "the log", r.stderr.String(), "its default port was taken", "taken=127.0.0.1:9900")
}

func TestTelemetryOfARun(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	file := tokenFile(t, aToken+"\n", 0o644)
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+aToken) }
	r := c.start("run", "--rate=5ms", "--beats=100000", "--telemetry=127.0.0.1:0", "--telemetry-token-file", file, "--telemetry-host=penstock.example", "--peek=3")
	url := r.url()
	r.stderr.Await(t, "msg=running")
	for name, test := range map[string]struct {
		path   string
		change func(*http.Request)
		want   int
	}{
		"without a token": {"metrics", nil, 401},
		"with it":         {"metrics", bearer, 200},
		"another name":    {"healthz", func(r *http.Request) { r.Host = "penstock.example" }, 200},
		"a foreign name":  {"healthz", func(r *http.Request) { r.Host = "evil.example" }, 421},
		"messages":        {"api/v1/messages/generator", bearer, 200},
	} {
		if code, body := ask(t, url+test.path, test.change); code != test.want {
			t.Errorf("%s: %d %s, want %d", name, code, body, test.want)
		}
	}
	r.interrupt()
	mustContain(t, "the log", r.stderr.String(), "other users of this machine can read the telemetry token", "chmod 600 "+file)
	if strings.Contains(r.stderr.String(), aToken) {
		t.Error("the log has the token")
	}
}

// Messages may be nobody else's business.
func TestNoPeekUnlessAskedFor(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	c.env[showcmd.Variable] = "127.0.0.1:0"
	r := c.start("run", "--rate=5ms", "--beats=100000")
	url := r.url()
	r.stderr.Await(t, "msg=running")
	if code, body := ask(t, url+"api/v1/messages/generator", nil); code != 404 || !strings.Contains(body, "--peek") {
		t.Errorf("%d %s", code, body)
	}
	r.interrupt()
}

func TestReplayTelemetry(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.start("run", "--rate=5ms", "--beats=100000", "--telemetry=127.0.0.1:0")
	url := r.url()
	r.stderr.Await(t, "msg=running")
	_, recording := ask(t, url+"api/v1/recording", nil)
	r.interrupt()
	file := filepath.Join(t.TempDir(), "recording.jsonl")
	if err := os.WriteFile(file, []byte(recording), 0o600); err != nil {
		t.Fatal(err)
	}
	play := c.start("replay-telemetry", file, "--telemetry=127.0.0.1:0")
	url = play.url()
	if code, body := ask(t, url+"api/v1/recording", nil); code != 200 || body != recording {
		t.Errorf("%d, %d bytes of %d", code, len(body), len(recording))
	}
	if _, body := ask(t, url+"api/v1/mode", nil); !strings.Contains(body, `"recording":true`) {
		t.Errorf("mode %s", body)
	}
	if code, _ := ask(t, url+"api/v1/mode", func(r *http.Request) { r.Host = "evil.example" }); code != 421 {
		t.Errorf("under a foreign name: %d", code)
	}
	play.interrupt()

	bad := tokenFile(t, "{}\n", 0o600)
	for args, want := range map[string]string{
		"":                                   "file",
		file + " --telemetry=off":            "--telemetry=off",
		bad + " --telemetry=127.0.0.1:0":     "not a recording",
		"/none/such --telemetry=127.0.0.1:0": "/none/such",
		file + " --telemetry=" + taken(t):    "name another one",
		file + " --telemetry=0.0.0.0:0":      "token",
		file + " --telemetry=127.0.0.1:0 --telemetry-token-file=/n/x": "/n/x",
	} {
		if r := c.run(append([]string{"replay-telemetry"}, strings.Fields(args)...)...); r.code == app.ExitOK || r.stdout != "" || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit %d\n%s", args, r.code, r.err)
		}
	}
}

// Whoever looks sees which server it is, and not how to log in there; also when it is gone.
func TestTelemetryHasNoCredentials(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set   func(*server.Options)
		login string
	}{
		"password": {func(o *server.Options) { o.Username, o.Password = "user", "hunter2" }, "user:hunter2"},
		"token":    {func(o *server.Options) { o.Authorization = "hunter2" }, "hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCommand(t)
			s := natsserver.Start(t, test.set)
			host, stop := s.Addr().String(), s.Stop
			report := filepath.Join(t.TempDir(), "report.json")
			r := c.start("run", "--rate=5ms", "--beats=100000", "--telemetry=127.0.0.1:0", "--log-level=debug", "--drain=1ms", "--report", report, "--nats", "nats://"+test.login+"@"+host)
			url := r.url()
			r.stderr.Await(t, "msg=running")
			look := func() {
				t.Helper()
				for _, path := range []string{
					"", "graph.dot", "metrics", "readyz", "api/v1/status", "api/v1/sample", "api/v1/graph", "api/v1/events", "api/v1/letters",
					"api/v1/history", "api/v1/recording", "api/v1/stages/worker/events", "api/v1/stages/worker/state",
				} {
					if _, body := ask(t, url+path, nil); strings.Contains(body, "hunter2") {
						t.Errorf("/%s: %s", path, body)
					}
				}
			}
			look()
			if _, status := ask(t, url+"api/v1/status", nil); !strings.Contains(status, host) {
				t.Errorf("the server is not named: %s", status)
			}
			stop()
			r.stderr.Await(t, "connection to NATS lost")
			if code, body := ask(t, url+"readyz", nil); code != 503 || !strings.Contains(body, "no connection to the NATS server") {
				t.Errorf("%d %s", code, body)
			}
			look()
			r.signals <- os.Interrupt
			r.wait()
			text, err := os.ReadFile(report)
			if all := r.stderr.String() + r.stdout.String() + string(text); err != nil || strings.Contains(all, "hunter2") {
				t.Errorf("%v, or it is in the log or the report:\n%s", err, all)
			}
		})
	}
}

// Who does not run a pipeline shows nothing, wherever that would be.
func TestOthersOpenNoServer(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	c.run("run", "--rate=1ms", "--beats=1") // there must be something to look into
	c.env[showcmd.Variable] = taken(t)
	for _, args := range []string{"graph", "version", "state generator", "events", "dlq list", "doctor", "--help", "run --help"} {
		if r := c.run(strings.Fields(args)...); r.code != app.ExitOK || strings.Contains(r.err, "dashboard") {
			t.Errorf("%s: exit %d\n%s", args, r.code, r.err)
		}
	}
}
