package hint

import "testing"

func TestFlagsFindThePlace(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Place{
		" --dir /var/lib/orders":                                                 {Dir: "/var/lib/orders", User: "orders"},
		" --dir '/my data/it'\\''s' --nats nats://a:1,nats://b:1":                {Dir: "/my data/it's", Servers: []string{"nats://a:1", "nats://b:1"}},
		" --dir d --nats nats://a:1 --nats-user orders --tls-ca ca.pem":          {Dir: "d", Servers: []string{"nats://a:1"}, User: "orders", CA: "ca.pem"},
		" --dir d --nats nats://a:1 --nats-creds 'o p.creds' --nats-nkey o.nkey": {Dir: "d", Servers: []string{"nats://a:1"}, Credentials: "o p.creds", NKeySeed: "o.nkey"},
	} {
		if got := p.Flags(); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}
