package broker

import (
	"strings"
	"testing"
)

func TestAddressesHaveNoLogin(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"":                                     "",
		"h":                                    "nats://h:4222",
		"nats://user:secret@b:1,token@a:2":     "nats://a:2 nats://b:1",
		"tls://u:p@h/path?jwt=secret, tls://h": "tls://h:4222",
		"wss://h":                              "wss://h",
		"nats://user:se%zzcret@h":              "",
		"nats://[::1]":                         "nats://[::1]:4222",
	} {
		if got := strings.Join(Addresses(list), " "); got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}
