package telemetry

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Each rule, from outside, with the attack that it stops.
func TestAccess(t *testing.T) {
	t.Parallel()
	open := serve(t, Config{Hosts: []string{"Penstock.example"}})
	locked := serve(t, Config{Token: "a secret"})
	open.until("a start", func() bool { return open.stage("worker").Starts == 1 })
	bearer := header("Authorization", "Bearer a secret")
	all := func(changes ...func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			for _, change := range changes {
				change(r)
			}
		}
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for name, test := range map[string]struct {
		of     *served
		method string
		path   string
		change func(*http.Request)
		want   int
	}{
		"a page":                                    {open, "GET", "/", nil, 200},
		"DNS rebinding: a name of the attacker":     {open, "GET", "/api/v1/status", host("evil.example:9900"), 421},
		"DNS rebinding: an empty name":              {open, "GET", "/api/v1/status", host("."), 421},
		"DNS rebinding: a name with a trailing dot": {open, "GET", "/api/v1/status", host("evil.example."), 421},
		"DNS rebinding: our name in front":          {open, "GET", "/api/v1/status", host("localhost.evil.example"), 421},
		"DNS rebinding: our name behind":            {open, "GET", "/api/v1/status", host("evil-penstock.example"), 421},
		"DNS rebinding: ports on ports":             {open, "GET", "/api/v1/status", host("127.0.0.1:1:evil.example"), 421},
		"DNS rebinding: the live stream":            {open, "GET", "/api/v1/live", host("evil.example"), 421},
		"DNS rebinding: an action":                  {open, "POST", "/api/v1/drain", all(host("evil.example"), header("Origin", "http://evil.example")), 421},
		"DNS rebinding: the page":                   {open, "GET", "/", host("evil.example"), 421},
		"all addresses are no address":              {open, "GET", "/api/v1/status", host("0.0.0.0:9900"), 421},
		"an address of another machine":             {open, "GET", "/api/v1/status", host("192.0.2.1:9900"), 421},
		"127.0.0.1 within IPv6":                     {open, "GET", "/api/v1/status", host("[::ffff:127.0.0.1]:9900"), 200},
		"no port":                                   {open, "GET", "/api/v1/status", host("LocalHost"), 200},
		"IPv6 loopback, no port":                    {open, "GET", "/api/v1/status", host("[::1]"), 200},
		"a name that is allowed":                    {open, "GET", "/api/v1/status", host("penstock.EXAMPLE:80"), 200},
		"localhost":                                 {open, "GET", "/api/v1/status", host("localhost:1"), 200},
		"IPv6 loopback":                             {open, "GET", "/api/v1/status", host("[::1]:1"), 200},
		"CSRF: a form of another site":              {open, "POST", "/api/v1/stages/worker/restart", header("Origin", "https://evil.example"), 403},
		"CSRF: fetch metadata of another site":      {open, "POST", "/api/v1/stages/worker/restart", header("Sec-Fetch-Site", "cross-site"), 403},
		"CSRF: another port of this machine":        {open, "POST", "/api/v1/stages/worker/restart", header("Origin", "http://127.0.0.1:1"), 403},
		"CSRF: an opaque origin":                    {open, "POST", "/api/v1/stages/worker/restart", header("Origin", "null"), 403},
		"no origin and no token":                    {open, "POST", "/api/v1/stages/worker/restart", nil, 403},
		"CSRF: a page of the same site":             {open, "POST", "/api/v1/stages/worker/restart", header("Sec-Fetch-Site", "same-site"), 403},
		"CSRF: what somebody typed":                 {open, "POST", "/api/v1/stages/worker/restart", header("Sec-Fetch-Site", "none"), 403},
		"CSRF: another scheme":                      {open, "POST", "/api/v1/stages/worker/restart", func(r *http.Request) { r.Header.Set("Origin", "https://"+r.Host) }, 403},
		"CSRF: a preflight":                         {open, "OPTIONS", "/api/v1/stages/worker/restart", header("Origin", "https://evil.example"), 403},
		"CSRF: a letter is discarded":               {open, "POST", "/api/v1/letters/discard", header("Origin", "https://evil.example"), 403},
		"CSRF: a letter is replayed":                {open, "POST", "/api/v1/letters/replay", nil, 403},
		"CSRF: the run is drained":                  {open, "POST", "/api/v1/drain", nil, 403},
		"an action by GET":                          {open, "GET", "/api/v1/stages/worker/restart", nil, 405},
		"an action by HEAD":                         {open, "HEAD", "/api/v1/drain", nil, 405},
		"an action by GET that says it is a POST":   {open, "GET", "/api/v1/drain", header("X-HTTP-Method-Override", "POST"), 405},
		"an action by PUT":                          {open, "PUT", "/api/v1/drain", header("Sec-Fetch-Site", "same-origin"), 405},
		"an answer by POST":                         {open, "POST", "/api/v1/status", header("Sec-Fetch-Site", "same-origin"), 405},
		"an answer by DELETE":                       {open, "DELETE", "/api/v1/letters/a.0:b.0:1", header("Sec-Fetch-Site", "same-origin"), 405},
		"a method of nobody":                        {open, "EXPLODE", "/", header("Sec-Fetch-Site", "same-origin"), 405},
		"the dashboard itself":                      {open, "POST", "/api/v1/stages/worker/restart", header("Sec-Fetch-Site", "same-origin"), 200},
		"the page of an old browser":                {open, "POST", "/api/v1/stages/worker/restart", func(r *http.Request) { r.Header.Set("Origin", "http://"+r.Host) }, 200},
		"an unknown action":                         {open, "POST", "/api/v1/stages/worker/explode", header("Sec-Fetch-Site", "same-origin"), 400},
		"an unknown stage":                          {open, "POST", "/api/v1/stages/nobody/restart", header("Sec-Fetch-Site", "same-origin"), 404},
		"a way out of the assets":                   {open, "GET", "/assets/../server.go", nil, 404},
		"an encoded way out of the assets":          {open, "GET", "/assets/%2e%2e/server.go", nil, 404},
		"a way out of the assets by backslashes":    {open, "GET", "/assets/..%5c..%5cserver.go", nil, 404},
		"a way out of the assets, encoded twice":    {open, "GET", "/assets/%252e%252e/server.go", nil, 404},
		"a way out of the assets by a root":         {open, "GET", "/assets/%2fetc/passwd", nil, 404},
		"a way out of a stage":                      {open, "GET", "/api/v1/stages/..%2f..%2fetc%2fpasswd/state", nil, 404},
		"a way out of a letter":                     {open, "GET", "/api/v1/letters/..%2f..%2fetc%2fpasswd", nil, 400},
		"no token":                                  {locked, "GET", "/api/v1/status", nil, 401},
		"no token for the metrics":                  {locked, "GET", "/metrics", nil, 401},
		"no token for the graph":                    {locked, "GET", "/graph.dot", nil, 401},
		"no token for the drawing":                  {locked, "GET", "/graph.svg", nil, 401},
		"no token for the live stream":              {locked, "GET", "/api/v1/live", nil, 401},
		"no token for the letters":                  {locked, "GET", "/api/v1/letters", nil, 401},
		"no token for the recording":                {locked, "GET", "/api/v1/recording", nil, 401},
		"no token for readiness":                    {locked, "GET", "/readyz", nil, 401},
		"no token for what is not there":            {locked, "GET", "/api/v1/nothing", nil, 401},
		"an empty token":                            {locked, "GET", "/metrics", header("Authorization", "Bearer "), 401},
		"the token, and more":                       {locked, "GET", "/metrics", header("Authorization", "Bearer a secret2"), 401},
		"the token as a password":                   {locked, "GET", "/metrics", func(r *http.Request) { r.SetBasicAuth("a secret", "a secret") }, 401},
		"the token as a cookie":                     {locked, "GET", "/metrics", header("Cookie", "token=a secret"), 401},
		"a way around: assets":                      {locked, "GET", "/assets/../metrics", nil, 401},
		"a way around: assets, encoded":             {locked, "GET", "/assets/%2e%2e/metrics", nil, 404},
		"a way around: two slashes":                 {locked, "GET", "//metrics", nil, 401},
		"the token, under another name":             {locked, "GET", "/metrics", all(bearer, host("evil.example")), 421},
		"a wrong token":                             {locked, "GET", "/metrics", header("Authorization", "Bearer a secre"), 401},
		"a token in another way":                    {locked, "GET", "/metrics?token=a%20secret", nil, 401},
		"the token":                                 {locked, "GET", "/metrics", bearer, 200},
		"the page, to ask for the token":            {locked, "GET", "/", nil, 200},
		"whether it lives":                          {locked, "GET", "/healthz", nil, 200},
		"an action of the page without a token":     {locked, "POST", "/api/v1/stages/worker/restart", header("Sec-Fetch-Site", "same-origin"), 401},
		"an action of a script with the token":      {locked, "POST", "/api/v1/stages/worker/restart", bearer, 200},
		"an action of another site that knows it":   {locked, "POST", "/api/v1/stages/worker/restart", all(bearer, header("Origin", "https://evil.example")), 403},
	} {
		t.Run(name, func(t *testing.T) {
			before := open.stage("worker").Starts
			code, h, body := test.of.ask(test.method, test.path, test.change)
			if code != test.want {
				t.Errorf("%d %s, want %d", code, body, test.want)
			}
			if test.of == open && code == http.StatusOK && strings.HasSuffix(test.path, "/restart") {
				open.until("the restart", func() bool { return open.stage("worker").Starts > before }) // one that is overtaken by the next is none
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin", "Access-Control-Allow-Origin": "",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if h.Get("Cache-Control") != "no-store" && code != http.StatusNotFound {
				t.Error("it may be kept by others")
			}
			if problem := weakness(h.Get("Content-Security-Policy")); problem != "" {
				t.Error(problem)
			}
		})
	}
	if starts := open.stage("worker").Starts; starts != 3 {
		t.Errorf("%d starts: two of these requests may restart the worker", starts)
	}
}

// weakness is what a content policy lets through, though it should not.
func weakness(policy string) string {
	allowed := map[string][]string{
		"default-src": {"'none'"}, "script-src": {"'self'", "'wasm-unsafe-eval'"}, "style-src": {"'self'"}, "connect-src": {"'self'"},
		"img-src": {"'self'", "data:", "blob:"}, "font-src": {"'self'"}, "manifest-src": {"'self'"},
		"base-uri": {"'none'"}, "form-action": {"'none'"}, "frame-ancestors": {"'none'"},
	}
	found := map[string]bool{}
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		found[words[0]] = true
		for _, source := range words[1:] {
			if !slices.Contains(allowed[words[0]], source) {
				return fmt.Sprintf("the content policy has %s %s", words[0], source)
			}
		}
	}
	for _, directive := range []string{"default-src", "base-uri", "form-action", "frame-ancestors"} { // which default-src does not stand for
		if !found[directive] {
			return "the content policy has no " + directive
		}
	}
	return ""
}

// What a client cannot send, but somebody can.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	for name, test := range map[string]struct {
		request string
		want    int
	}{
		"no name at all":                  {"GET /api/v1/status HTTP/1.0\r\n\r\n", 421},
		"an empty name":                   {"GET /api/v1/status HTTP/1.1\r\nHost:\r\n\r\n", 421},
		"two names":                       {"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400},
		"a name in the line":              {"GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", 421},
		"ours in the line, another below": {"GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200}, // the line counts
		"a name with a line in it":        {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n X: y\r\n\r\n", 400},
		"a tunnel":                        {"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", 421},
		"two lengths":                     {"POST /api/v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
		"no HTTP":                         {"\x16\x03\x01\x00\xa5\x01\r\n\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.server.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte(test.request)); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != test.want {
				t.Errorf("%d, want %d", answer.StatusCode, test.want)
			}
		})
	}
}

// A server that others reach is called by its address, and by nobody else's.
func TestTheAddressIsAName(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{Address: "127.0.0.2:0", Token: "a secret"})
	for name, want := range map[string]int{"127.0.0.2": 200, "127.0.0.2:1": 200, "127.0.0.3": 421, "2130706434": 421, "0x7f.0.0.2": 421} {
		code, _, _ := s.ask("GET", "/healthz", func(r *http.Request) { r.Host = name })
		if code != want {
			t.Errorf("%s: %d, want %d", name, code, want)
		}
	}
}

// Who looks at a stage by its name cannot make it act.
func TestGETNeverActs(t *testing.T) {
	t.Parallel()
	drained := false
	s := serve(t, Config{Drain: func() { drained = true }})
	s.until("a start", func() bool { return s.stage("worker").Starts > 0 })
	before := s.stage("worker").Starts
	for _, path := range []string{
		"/api/v1/drain", "/api/v1/stages/worker/restart", "/api/v1/stages/worker/pause", "/api/v1/stages/worker/resume",
		"/api/v1/letters/replay", "/api/v1/letters/discard",
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			if code, _, body := s.ask(method, path, header("Sec-Fetch-Site", "same-origin")); code != 405 && code != 400 { // 400: there is no letter of that name
				t.Errorf("%s %s: %d %s", method, path, code, body)
			}
		}
	}
	if after := s.stage("worker").Starts; after != before || drained {
		t.Errorf("%d starts after %d, drained: %v", after, before, drained)
	}
}
