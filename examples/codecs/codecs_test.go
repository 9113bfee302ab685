package codecs_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"penstock/examples/codecs"
)

func TestCodecsRefuseDamage(t *testing.T) {
	t.Parallel()
	if _, err := codecs.Proto[*structpb.Value]().Decode([]byte{0xff}); err == nil {
		t.Error("protobuf decodes half a field")
	}
}

func TestProtoGivesBackWhatItGot(t *testing.T) {
	t.Parallel()
	codec := codecs.Proto[*structpb.Struct]()
	want, err := structpb.NewStruct(map[string]any{"a": 1, "b": []any{"x", true, nil}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := codec.Append([]byte("before"), want)
	if err != nil || !bytes.HasPrefix(data, []byte("before")) {
		t.Fatalf("%q, error %v", data, err)
	}
	got, err := codec.Decode(data[len("before"):])
	if err != nil || !proto.Equal(got, want) {
		t.Errorf("got %v, want %v, error %v", got, want, err)
	}
}
