//go:build unix

package jetstream_test

import (
	"context"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/engine"
	"penstock/internal/testing/leak"
	"penstock/stages/conformance"
	"penstock/stages/jetstream"
)

const (
	largest  = 2 << 20 // bytes that the other server takes
	password = "verysecret"
)

var sourceToTest = conformance.Source{
	Name: "source", About: jetstream.AboutSource(), Secret: password, Largest: largest - 1024,
	Start: func(t testing.TB) conformance.SourceSide { return newSide(t) },
	Declare: func(scope engine.Scope, name, address string) *engine.Stream[[]byte] {
		in := jetstream.Source(scope, name, jetstream.SourceConfig{NATS: engine.NATS{URL: address}, Stream: "S", Prefetch: 200})
		return engine.Stage(scope, "data", engine.On(in,
			func(_ context.Context, _ *struct{}, m engine.Message[jetstream.Message], emit engine.Emit[[]byte]) error {
				emit(m.Value.Data)
				return nil
			}))
	},
}

// sinkToTest is a sink in a mode.
func sinkToTest(name string, mode jetstream.Mode) conformance.Sink {
	return conformance.Sink{
		Name: name, About: jetstream.AboutSink(mode), Secret: password, Largest: largest - 2048,
		Start: func(t testing.TB) conformance.SinkSide { return newSide(t) },
		Declare: func(scope engine.Scope, name, address string, in *engine.Stream[[]byte]) {
			jetstream.Sink(scope, name, in, jetstream.SinkConfig{NATS: engine.NATS{URL: address}, Stream: "S", Mode: mode}, func(value []byte) (jetstream.Message, error) {
				return jetstream.Message{Subject: "s.x", Data: value}, nil
			})
		},
	}
}

var (
	expectLastToTest = sinkToTest("sink with expect last", jetstream.ExpectLast)
	messageIDToTest  = sinkToTest("sink with message ids", jetstream.MessageID)
)

func TestMain(m *testing.M) {
	conformance.Child(sourceToTest, expectLastToTest, messageIDToTest)
	leak.Main(m)
}

func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	t.Run("source", sourceToTest.Test)
	t.Run("expect last", expectLastToTest.Test)
	t.Run("message id", messageIDToTest.Test)
}

// side is another server with a login.
type side struct{ *other }

func newSide(t testing.TB) side {
	o := startOther(t, func(s *server.Options) {
		s.Users = []*server.User{{Username: "admin", Password: "admin"}, {Username: "app", Password: password}}
		s.NoAuthUser = "admin"
		s.MaxPayload = largest
	})
	o.stream()
	return side{o}
}

func (s side) Address() string {
	return strings.Replace(s.ClientURL(), "nats://", "nats://app:"+password+"@", 1)
}

func (s side) Stop(testing.TB)  { s.other.Stop() }
func (s side) Again(testing.TB) { s.other.Again() }

func (s side) Put(t testing.TB, values ...[]byte) {
	t.Helper()
	for _, value := range values {
		if _, err := s.js.Publish(t.Context(), "s.x", value); err != nil {
			t.Fatal(err)
		}
	}
}

func (s side) Written(t testing.TB) (values [][]byte) {
	t.Helper()
	for _, text := range s.stored() {
		values = append(values, []byte(text))
	}
	return values
}
