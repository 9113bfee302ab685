package broker

import (
	"context"
	"strings"
	"testing"
	"time"
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(testContext(t))
}

func TestBadConfigurationIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert, key := a.issue(t, 2)
	garbage := write(t, "garbage", []byte("nothing of use"))
	const url = "nats://127.0.0.1:1"
	for name, test := range map[string]struct {
		cfg  Config
		part string
	}{
		"nothing":            {Config{}, "no server: set a directory"},
		"negative sync":      {Config{Dir: "x", Sync: -time.Second}, "sync interval"},
		"replicas alone":     {Config{Dir: "x", Replicas: 3}, "need a NATS cluster"},
		"too many replicas":  {Config{URL: url, Replicas: 9}, "9 replicas"},
		"login without URL":  {Config{Dir: "x", User: "a"}, "needs the URL"},
		"empty URLs":         {Config{URL: " , "}, "empty"},
		"scheme":             {Config{URL: "http://u:hunter2@h"}, "http://"},
		"no host":            {Config{URL: "nats://"}, "no host"},
		"malformed":          {Config{URL: "nats://u:hunter2@[::1"}, "malformed"},
		"port too large":     {Config{URL: "nats://127.0.0.1:99999"}, "99999"},
		"port 0":             {Config{URL: "nats://127.0.0.1:0"}, "1 to 65535"},
		"second port":        {Config{URL: url + ",u:hunter2@h:65536"}, "65536"},
		"inbox prefix":       {Config{URL: url, InboxPrefix: "a.>"}, "inbox"},
		"bad port":           {Config{URL: "nats://u:hunter2@h:port"}, "malformed"},
		"password with %":    {Config{URL: "nats://u:hunter2%zz@h"}, "malformed"},
		"password with /":    {Config{URL: "nats://u:hun/ter2@h"}, "malformed"},
		"second malformed":   {Config{URL: url + ",nats://u:hunter2@[::1"}, "malformed"},
		"two logins":         {Config{URL: url, User: "a", Token: "b"}, "more than one"},
		"password alone":     {Config{URL: url, Password: "hunter2"}, "without a user"},
		"cert without key":   {Config{URL: url, Cert: cert}, "without its key"},
		"key without cert":   {Config{URL: url, Key: key}, "without its certificate"},
		"cert unreadable":    {Config{URL: url, Cert: "absent.pem", Key: key}, "absent.pem"},
		"cert is garbage":    {Config{URL: url, Cert: garbage, Key: key}, garbage},
		"CA unreadable":      {Config{URL: url, CA: "absent.pem"}, "absent.pem"},
		"CA is garbage":      {Config{URL: url, CA: garbage}, "no PEM certificate"},
		"creds unreadable":   {Config{URL: url, Credentials: "absent.creds"}, "absent.creds"},
		"creds are garbage":  {Config{URL: url, Credentials: garbage}, garbage},
		"NKey unreadable":    {Config{URL: url, NKeySeed: "absent.nk"}, "absent.nk"},
		"NKey is garbage":    {Config{URL: url, NKeySeed: garbage}, garbage},
		"mixed with sockets": {Config{URL: "ws://h,nats://h"}, "connect to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(testContext(t), test.cfg)
			wantError(t, err, ErrConfig, test.part)
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ter2")) {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"nats://host:4222":                        "nats://host:4222",
		"nats://u:p@host:4222":                    "nats://…@host:4222",
		"nats://token@host":                       "nats://…@host",
		"u:p@host,tls://v:w@other,nats://x":       "…@host,tls://…@other,nats://x",
		"cannot reach nats://u:p/q@r@host, sorry": "cannot reach nats://…@host, sorry",
		"nothing to hide":                         "nothing to hide",
	} {
		if got := redact(text); got != want {
			t.Errorf("redact(%q) = %q, want %q", text, got, want)
		}
	}
}
