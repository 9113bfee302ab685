//go:build unix

package broker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"penstock/internal/userfile"
)

// Opening a pipe waits for a writer, and there may never be one.
func TestAPipeInThePlaceOfALoginFileIsRefused(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cert, key := newAuthority(t).issue(t, 2)
	for name, cfg := range map[string]Config{
		"credentials": {Credentials: pipe},
		"NKey":        {NKeySeed: pipe},
		"CA":          {CA: pipe},
		"certificate": {Cert: pipe, Key: key},
		"key":         {Cert: cert, Key: pipe},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			go func() { // a reader that waits for a writer finds one that hangs up
				defer close(ended)
				if w, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
					w.Close()
				}
			}()
			defer func() {
				r, err := os.OpenFile(pipe, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				<-ended
				r.Close()
			}()
			cfg.URL = "nats://127.0.0.1:1"
			_, err := Open(testContext(t), cfg)
			if !errors.Is(err, ErrConfig) || !errors.Is(err, userfile.ErrKind) || !strings.Contains(err.Error(), pipe) {
				t.Errorf("%v", err)
			}
		})
	}
}
