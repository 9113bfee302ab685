package hint

import (
	"os/exec"
	"testing"
)

// What a shell makes of a word is the text.
func TestAShellReadsAWordAsItIs(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, text := range []string{"", "/plain/dir", "it's", `a\b`, "'", "$HOME `x` \"y\"", "~", "a b\n", "*?[x]", "-- é", "!x"} {
		got, err := exec.Command(shell, "-c", "printf %s "+Word(text)).Output()
		if err != nil || string(got) != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestFlagsFindThePlace(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Place{
		" --dir /var/lib/orders":                                                 {Dir: "/var/lib/orders", User: "orders"},
		" --dir '/my data/it'\\''s' --nats nats://a:1,nats://b:1":                {Dir: "/my data/it's", Servers: []string{"nats://a:1", "nats://b:1"}},
		" --dir d --nats nats://a:1 --nats-user orders --tls-ca ca.pem":          {Dir: "d", Servers: []string{"nats://a:1"}, User: "orders", CA: "ca.pem"},
		" --dir d --nats nats://a:1 --nats-inbox-prefix _INBOX_orders":           {Dir: "d", Servers: []string{"nats://a:1"}, InboxPrefix: "_INBOX_orders"},
		" --dir d --nats nats://a:1 --nats-creds 'o p.creds' --nats-nkey o.nkey": {Dir: "d", Servers: []string{"nats://a:1"}, Credentials: "o p.creds", NKeySeed: "o.nkey"},
	} {
		if got := p.Flags(); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}
