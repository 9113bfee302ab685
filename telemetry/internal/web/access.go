package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Bounds of what a request may be.
const (
	headerBytes = 16 << 10
	BodyBytes   = 1 << 20
	ReadTime    = 10 * time.Second
	WriteTime   = 30 * time.Second // for one piece of an answer
	IdleTime    = 30 * time.Second
)

// contentPolicy lets the page have nothing but what this server gives it. The
// graph is drawn by WebAssembly, which needs a word of its own.
const contentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Access decides which requests a server answers.
type Access struct {
	hosts []string // lower case, without ports
	token []byte   // its hash; nil: none is asked for
	cross *http.CrossOriginProtection

	misdirected string // the answer to a name that is not the server's
}

// NewAccess returns the access to a server that is called address, which may be host:port, and by further
// hosts. token is what every request has to have, "" is none. misdirected is the answer under another name.
func NewAccess(address string, hosts []string, token, misdirected string) *Access {
	g := &Access{cross: http.NewCrossOriginProtection(), hosts: []string{"localhost", "127.0.0.1", "::1"}, misdirected: misdirected}
	for _, host := range append([]string{HostOf(address)}, hosts...) {
		if ip, _ := netip.ParseAddr(host); host != "" && !ip.IsUnspecified() {
			g.hosts = append(g.hosts, strings.ToLower(host))
		}
	}
	if token != "" {
		g.token = hashOf(token)
	}
	return g
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Wrap refuses who may not ask, and tells the browser what it must not do with
// the answer.
func (g *Access) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !g.isOurName(r) {
			// A foreign name that leads here: requests of its pages must not be answered.
			http.Error(w, g.misdirected, http.StatusMisdirectedRequest)
			return
		}
		if err := g.cross.Check(r); err != nil {
			http.Error(w, "the request comes from another site", http.StatusForbidden)
			return
		}
		if isAction(r.Method) && !g.isProven(r) {
			http.Error(w, "an action needs the token, or must be sent by the dashboard itself", http.StatusForbidden)
			return
		}
		if !isOpen(r.URL.Path) && !g.isAllowed(r) {
			h.Set("WWW-Authenticate", `Bearer realm="penstock"`)
			http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, BodyBytes)
		next.ServeHTTP(w, r)
	})
}

// isOurName says that a request was sent to this server: under a name that it
// has, or to the address that it came to, which is no name that an attacker could
// have made lead here.
func (g *Access) isOurName(r *http.Request) bool {
	name := HostOf(r.Host)
	if slices.Contains(g.hosts, name) {
		return true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	ip, err := netip.ParseAddr(name)
	return err == nil && local != nil && ip.Unmap() == local.AddrPort().Addr().Unmap()
}

// HostOf is the host of host:port, in lower case.
func HostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	}
	return strings.ToLower(host)
}

func isAction(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// isOpen says that a path needs no token: what says nothing of the pipeline, and
// the page that asks for the token.
func isOpen(path string) bool {
	return path == "/healthz" || path == "/" || strings.HasPrefix(path, "/assets/")
}

// isProven says that an action was meant: it has the token, or it comes from a
// page of this very server. A client without Origin has to have the token.
func (g *Access) isProven(r *http.Request) bool {
	if g.token != nil && g.isAllowed(r) {
		return true
	}
	return r.Header.Get("Sec-Fetch-Site") == "same-origin" || r.Header.Get("Origin") == "http://"+r.Host
}

// isAllowed says that the request has the token, if one is asked for.
func (g *Access) isAllowed(r *http.Request) bool {
	if g.token == nil {
		return true
	}
	given, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return false
	}
	return subtle.ConstantTimeCompare(hashOf(given), g.token) == 1
}
