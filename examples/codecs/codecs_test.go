package codecs_test

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"

	"penstock/examples/codecs"
)

type record struct {
	Text  string
	Raw   []byte
	Big   uint64
	Small int64
	Ratio float64
	Tags  map[string]bool
}

func TestCBORGivesBackWhatItGot(t *testing.T) {
	t.Parallel()
	codec := codecs.CBOR[record]()
	rapid.Check(t, func(t *rapid.T) {
		want := record{
			Text:  rapid.String().Draw(t, "text"),
			Raw:   rapid.SliceOfN(rapid.Byte(), 1, -1).Draw(t, "raw"),
			Big:   rapid.Uint64().Draw(t, "big"),
			Small: rapid.Int64().Draw(t, "small"),
			Ratio: rapid.Float64().Draw(t, "ratio"),
			Tags:  rapid.MapOfN(rapid.String(), rapid.Bool(), 1, -1).Draw(t, "tags"),
		}
		data, err := codec.Append([]byte("before"), want)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte("before")) {
			t.Fatalf("%q does not begin with what was there", data)
		}
		again, _ := codec.Append([]byte("before"), want)
		if !bytes.Equal(data, again) {
			t.Fatal("the same value gives other bytes")
		}
		got, err := codec.Decode(data[len("before"):])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v, error %v", got, want, err)
		}
	})
}

func TestCBORKeepsTimesAndLimits(t *testing.T) {
	t.Parallel()
	type when struct {
		At  time.Time
		Max uint64
	}
	codec := codecs.CBOR[when]()
	want := when{time.Date(2025, 1, 2, 3, 4, 5, 678901234, time.UTC), math.MaxUint64}
	data, err := codec.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := codec.Decode(data); err != nil || !got.At.Equal(want.At) || got.Max != want.Max {
		t.Errorf("got %+v, want %+v, error %v", got, want, err)
	}
}

func TestCBORReadsWhateverItWrites(t *testing.T) {
	t.Parallel()
	texts := codecs.CBOR[[]string]()
	want := make([]string, 200_000)
	want[7] = "\xff is not UTF-8"
	data, err := texts.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := texts.Decode(data); err != nil || !slices.Equal(got, want) {
		t.Errorf("error %v, %d texts, want %d", err, len(got), len(want))
	}
}

func TestCodecsRefuseDamage(t *testing.T) {
	t.Parallel()
	if _, err := codecs.CBOR[record]().Decode([]byte{0xa1, 0x64}); err == nil {
		t.Error("CBOR decodes half a map")
	}
	other, err := codecs.CBOR[map[string]int]().Append(nil, map[string]int{"Unknown": 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codecs.CBOR[record]().Decode(other); err == nil || !strings.Contains(err.Error(), "unknown field") {
		t.Errorf("CBOR decodes another type: %v", err)
	}
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
