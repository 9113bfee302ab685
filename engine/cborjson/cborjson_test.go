package cborjson_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"penstock/engine/cborjson"
)

func TestCBORIsShownAsJSON(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		"d9d9f7a2667365636f6e640165666972737420": `{"second":1,"first":-1}`,
		"1bffffffffffffffff":                     "18446744073709551615",
		"3bffffffffffffffff":                     "-18446744073709551616",
		"1b0020000000000001":                     "9007199254740993",
		"fb4014000000000000":                     "5.0",
		"fb8000000000000000":                     "-0.0",
		"fa3dcccccd":                             "0.1",
		"f93c00":                                 "1.0",
		"fb7ff8000000000000":                     `{"$float":"NaN"}`,
		"fbfff0000000000000":                     `{"$float":"-Inf"}`,
		"fb4415af1d78b58c40":                     "100000000000000000000.0",
		"fb54b249ad2594c37d":                     "1e+100",
		"64636166e9":                             `{"$text":"caf\\xe9"}`,
		"6161":                                   `"a"`,
		"633c1b22":                               `"<\u001b\""`,
		"42ff00":                                 `{"$bytes":"/wA="}`,
		"a201f402f5":                             `{"1":false,"2":true}`,
		"a2010261310203":                         "", // no CBOR
		"a201026131f6":                           `{"$map":[[1,2],["1",null]]}`,
		"a161ff01":                               `{"$map":[[{"$text":"\\xff"},1]]}`,
		"a164246d617001":                         `{"$map":[["$map",1]]}`,
		"a142000180":                             `{"$map":[[{"$bytes":"AAE="},[]]]}`,
		"c074323032362d31312d32385431393a30303a30305a": `"2026-11-28T19:00:00Z"`,
		"c249010000000000000000":                       "18446744073709551616",
		"d90106487b2261223a20317d":                     `{"a":1}`,
		"d9010641ff":                                   `{"$tag":[262,{"$bytes":"/w=="}]}`,
		"d82a01":                                       `{"$tag":[42,1]}`,
		"f0":                                           `{"$simple":16}`,
		"f7":                                           "null",
		"":                                             "",
		"81":                                           "",
		"9f01ff":                                       "",
	} {
		raw, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cborjson.JSON(raw)
		if string(got) != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, cborjson.ErrNotCBOR) {
			t.Errorf("%s is shown as %s, %v; want %s", data, got, err, want)
			continue
		}
		if want == "" {
			continue
		}
		if !json.Valid(got) {
			t.Errorf("%s is no JSON: %s", data, got)
		}
		if back, err := cborjson.Parse(got, raw); err != nil || !bytes.Equal(back, raw) && data != "f7" {
			t.Errorf("%s comes back as %x, %v", data, back, err)
		}
	}
}

func TestEditedJSONBecomesWhatTheValueWas(t *testing.T) {
	t.Parallel()
	type item struct {
		N     map[int]string
		Price float64
		At    cbor.RawMessage
		Big   cbor.RawMessage
		Raw   cbor.RawMessage
		List  []any
	}
	before, err := cbor.Marshal(item{
		N: map[int]string{1: "a"}, Price: 5, At: []byte("\xc0\x74" + "2026-11-28T19:00:00Z"), Big: []byte("\xc2\x41\x07"), Raw: []byte("\xd9\x01\x06\x41\x31"), List: []any{1, 2.5, "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for edit, want := range map[string]string{
		`{"N":{"1":"a","7":"b"}}`:          `{1: "a", 7: "b"}`,
		`{"Price":6}`:                      "6.0",
		`{"At":"2027-01-01T00:00:00Z"}`:    `0("2027-01-01T00:00:00Z")`,
		`{"Big":8}`:                        "hex:c24108",
		`{"Raw":{"a":[1]}}`:                `262(h'7b2261223a5b315d7d')`,
		`{"List":[3,4,"y",null,true,7.5]}`: `[3, 4.0, "y", null, true, 7.5]`,
		`{"List":[{"$bytes":"AA=="},{"$text":"\\xe9"}, {"$float":"+Inf"}]}`: "[h'00', ",
		`{"New":{"1":-2, "$map":1}}`:                                        `{"1": -2, "$map": 1}`,
		`{"New":123456789012345678901234}`:                                  "hex:c24a1a249b1f10a06c96aff2",
		`{"New":{"$map":[[1,2],[[3],"x"]]}}`:                                `{1: 2, [3]: "x"}`,
		`{"New":{"$tag":[42,1]}}`:                                           "42(1)",
	} {
		data, err := cborjson.Parse([]byte(edit), append([]byte(cborjson.Mark), before...))
		if err != nil {
			t.Errorf("%s: %v", edit, err)
			continue
		}
		if digits, isHex := strings.CutPrefix(want, "hex:"); isHex {
			if !strings.Contains(hex.EncodeToString(data), digits) {
				t.Errorf("%s: %x; want %s", edit, data, digits)
			}
			continue
		}
		mode, _ := cbor.DiagOptions{}.DiagMode()
		got, _, err := mode.DiagnoseFirst(data)
		if strings.Contains(want, "h'00'") && err != nil { // not UTF-8
			continue
		}
		if !bytes.HasPrefix(data, []byte(cborjson.Mark)) || !strings.Contains(got, want) {
			t.Errorf("%s: %s, %v; want %s", edit, got, err, want)
		}
	}
	for _, edit := range []string{"", "{", `{"a":1,"a":2}`, "1 2", `{"N":{"x":"b"}}`, `{"$bytes":1}`, `{"$map":[[1]]}`, `{"$tag":[1]}`, `{"$text":"\\x"}`, `{"$float":"one"}`, strings.Repeat("[", 20_000)} {
		if data, err := cborjson.Parse([]byte(edit), before); err == nil {
			t.Errorf("%.20s: %x", edit, data)
		}
	}
}

// What is nested deep is gone through once.
func TestDeepCBORIsShownInTime(t *testing.T) {
	t.Parallel()
	var data []byte
	for range 4_900 {
		data = append(data, 0xa1, 0x61, 'x', 0x81)
	}
	data = append(data, 0x9a, 0x00, 0x0f, 0x42, 0x40)
	data = append(data, bytes.Repeat([]byte{0x80}, 1_000_000)...)
	shown, err := cborjson.JSON(data)
	if err != nil {
		t.Fatal(err)
	}
	if want := 4_900*len(`{"x":[]}`) + 2 + 3*1_000_000 - 1; len(shown) != want {
		t.Errorf("%d bytes, want %d", len(shown), want)
	}
	if _, err := cborjson.JSON(bytes.Repeat([]byte{0x81}, 20_000)); !errors.Is(err, cborjson.ErrNotCBOR) {
		t.Error(err)
	}
}

func FuzzShow(f *testing.F) {
	f.Add([]byte("\xd9\xd9\xf7\xa2\x61a\x01\x61b\x82\xfb@\x14\x00\x00\x00\x00\x00\x00\x42\xff\x00"))
	f.Add([]byte("\xa1\x42\x00\x01\xd8\x2a\xf0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		shown, err := cborjson.JSON(data)
		if err != nil {
			return
		}
		if !json.Valid(shown) {
			t.Fatalf("%x is shown as %q", data, shown)
		}
		if _, err := cborjson.Parse(shown, data); err != nil && bytes.Count(shown, []byte(`"$`)) == 0 {
			t.Fatalf("%x is shown as %s, which is not read: %v", data, shown, err)
		}
	})
}
