package redact_test

import (
	"fmt"
	"testing"

	"penstock/engine/redact"
)

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"connect to nats://u:p@h:1, tls://t@h:2":      "connect to nats://…@h:1, tls://…@h:2",
		"nats://u:p@a:1,nats://v:q@b:2":               "nats://…@a:1,nats://…@b:2",
		"u:p@a:1,nats://token@b:2":                    "…@a:1,nats://…@b:2",
		`argument "u:p/@x@h:1"`:                       `argument "…@h:1"`,
		`Get "https://u:p@h/path?x=1": refused`:       `Get "https://…@h/path?x=1": refused`,
		"postgres+ssl://u:p@[::1]:5432/db":            "postgres+ssl://…@[::1]:5432/db",
		"message worker.0:40, attempt 1":              "message worker.0:40, attempt 1",
		"mail a@b":                                    "mail a@b",
		"panic: x [recovered]\n\tnats://token@h:4222": "panic: x [recovered]\n\tnats://…@h:4222",
	} {
		if got := redact.Text(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func ExampleText() {
	fmt.Println(redact.Text("dial nats://penstock:hunter2@broker:4222: connection refused"))
	// Output: dial nats://…@broker:4222: connection refused
}
