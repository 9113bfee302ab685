package connector_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"penstock/internal/testing/leak"
	"penstock/stages/connector"
)

func TestMain(m *testing.M) { leak.Main(m) }

type login struct {
	URL      string `doc:"address" secret:"login"`
	Password string `doc:"its password" secret:"value"`
	Other    int    // not a setting
}

type config struct {
	Server login
	Batch  int    `doc:"messages in a batch" default:"100" unit:"messages"`
	hidden string `doc:"not exported"`
	Topic  string `doc:"where to"`
}

func TestSettingsOfAStruct(t *testing.T) {
	t.Parallel()
	_ = config{hidden: "x"}.hidden
	want := []connector.Setting{
		{Name: "Server.URL", Doc: "address", Secret: true},
		{Name: "Server.Password", Doc: "its password", Secret: true},
		{Name: "Batch", Doc: "messages in a batch", Default: "100", Unit: "messages"},
		{Name: "Topic", Doc: "where to"},
	}
	if got := connector.Settings(config{}); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	page := connector.Describe(connector.About{Name: "queue source", Guarantee: connector.AtLeastOnce, Says: "It says so.", Settings: want})
	for _, text := range []string{"queue source: at least once. It says so.\n", "messages in a batch (default 100 messages)\n", "its password (secret)\n"} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not in\n%s", text, page)
		}
	}
}

// Secrets go out of a text wherever they stand, and what the error wraps stays.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	cause := errors.New("refused")
	for name, of := range map[string]struct {
		config config
		text   string
		want   string
	}{
		"password":     {config{Server: login{Password: "geheim"}}, "login with geheim, geheim", "login with …, …"},
		"in a URL":     {config{Server: login{URL: "nats://ann:geheim@a:1"}}, "dial nats://ann:geheim@a:1, password geheim", "dial nats://…@a:1, password …"},
		"in a list":    {config{Server: login{URL: "a:1,nats://ann:ge@heim@b:2"}}, "ge@heim", "…"},
		"token":        {config{Server: login{URL: "nats://token@a"}}, "token@a", "…@a"},
		"no secret":    {config{Server: login{URL: "nats://a"}, Topic: "t"}, "t of nats://a", "t of nats://a"},
		"empty":        {config{}, "nothing", "nothing"},
		"not a secret": {config{Topic: "orders"}, "orders", "orders"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := connector.Hide(fmt.Errorf("%s: %w", of.text, cause), connector.Secrets(of.config))
			if err.Error() != of.want+": refused" || !errors.Is(err, cause) {
				t.Errorf("%q, want %q", err, of.want+": refused")
			}
		})
	}
	if connector.Hide(nil, []string{"x"}) != nil {
		t.Error("nil became an error")
	}
}

func TestGuaranteesHaveNames(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(connector.AtMostOnce, ", ", connector.ExactlyOnce, ", ", connector.Guarantee(9)); got != "at most once, exactly once, Guarantee(9)" {
		t.Error(got)
	}
}
