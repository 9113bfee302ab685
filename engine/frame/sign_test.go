package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func keysOf(t testing.TB, secrets ...string) *Keys {
	t.Helper()
	var list [][]byte
	for _, s := range secrets {
		list = append(list, []byte(s))
	}
	keys, err := NewKeys(list...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

const (
	oneKey   = "0123456789abcdef"
	otherKey = "another key of the pipeline"
)

func signFor(t testing.TB, k *Keys, data []byte, place string) []byte {
	t.Helper()
	signed, err := k.Sign(nil, data, place)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestASignedFrameIsTheSameFrame(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oneKey)
	rapid.Check(t, func(rt *rapid.T) {
		d := genDraft().Draw(rt, "frame")
		compression := rapid.SampledFrom([]Compression{None, S2}).Draw(rt, "compression")
		data, err := Append(nil, &d.frame, Options{Compression: compression})
		if err != nil {
			rt.Fatal(err)
		}
		place := rapid.String().Draw(rt, "place")
		signed, err := keys.Sign([]byte("before"), data, place)
		if err != nil {
			rt.Fatal(err)
		}
		signed = signed[len("before"):]
		plain, err := Decode(data)
		if err != nil {
			rt.Fatal(err)
		}
		f, err := Decode(signed)
		if err != nil {
			rt.Fatal(err)
		}
		if err := keys.Verify(signed, place); err != nil {
			rt.Fatal(err)
		}
		again, err := Append(nil, f, Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if want, err := Append(nil, plain, Options{}); err != nil || !bytes.Equal(again, want) {
			rt.Fatalf("it is another frame: %v", err)
		}
	})
}

func TestVerifyNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	plain := encode(t, typical(8, 32), None)
	one, other := keysOf(t, oneKey), keysOf(t, otherKey)
	signed := signFor(t, one, plain, "place")
	forged := bytes.Clone(signed)
	forged[len(forged)-trailerSize-1] ^= 1
	for name, c := range map[string]struct {
		keys  *Keys
		data  []byte
		place string
		want  error
	}{
		"good":              {one, signed, "place", nil},
		"second of several": {keysOf(t, otherKey, oneKey), signed, "place", nil},
		"another place":     {one, signed, "place2", ErrForged},
		"another tag":       {one, forged, "place", ErrForged},
		"another key":       {other, signed, "place", ErrOtherKey},
		"no signature":      {one, plain, "place", ErrUnsigned},
		"nothing":           {one, nil, "place", ErrUnsigned},
	} {
		if err := c.keys.Verify(c.data, c.place); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if id, found := SignedWith(signed); !found || id != one.ID() || id == other.ID() || strings.Contains(oneKey, id) {
		t.Errorf("signed with %q, %v; the key is %q", id, found, one.ID())
	}
}

// Whatever bit is changed, the checksum or the signature tells, also when the checksum is made anew.
func TestEveryChangeOfASignedFrameIsNoticed(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oneKey)
	signed := signFor(t, keys, encode(t, typical(4, 16), None), "place")
	for i := range (len(signed) - trailerSize) * 8 {
		bad := bytes.Clone(signed)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := Decode(bad); err == nil {
			t.Fatalf("bit %d: no error", i)
		}
		end := len(bad) - trailerSize
		binary.LittleEndian.PutUint32(bad[end:], crc32.Checksum(bad[:end], castagnoli))
		if _, err := Decode(bad); err == nil && keys.Verify(bad, "place") == nil {
			t.Fatalf("bit %d with a new checksum: no error", i)
		}
	}
}

func TestKeysAreRefused(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][][]byte{"none": nil, "short": {[]byte("0123456789abcde")}, "a short second": {[]byte(oneKey), nil}} {
		if _, err := NewKeys(secrets...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestGoldenSignature pins version 2.
func TestGoldenSignature(t *testing.T) {
	t.Parallel()
	const file = "testdata/v2.frame"
	keys := keysOf(t, oneKey)
	made := signFor(t, keys, encode(t, golden(), None), "pipeline.stage.0")
	data, f := goldenFile(t, file, made)
	checkFields(t, golden(), f)
	if err := keys.Verify(data, "pipeline.stage.0"); err != nil || !bytes.Equal(made, data) {
		t.Errorf("%v; written\n%x, was\n%x", err, made, data)
	}
}

func FuzzVerify(f *testing.F) {
	keys := keysOf(f, oneKey)
	plain := encode(f, golden(), None)
	f.Add(plain)
	f.Add(signFor(f, keys, plain, "place"))
	f.Fuzz(func(t *testing.T, data []byte) {
		signed := keys.Verify(data, "place") == nil
		if _, err := Decode(data); err == nil {
			again, err := keys.Sign(nil, data, "place")
			if _, isSigned := SignedWith(data); isSigned {
				return // what comes of a second signature is not asked for
			}
			if err != nil || signed || keys.Verify(again, "place") != nil {
				t.Fatalf("%v, signed before: %v", err, signed)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	keys := keysOf(b, oneKey)
	eachFrame(b, func(b *testing.B, f *Frame, c Compression) {
		data := encode(b, f, c)
		buf := signFor(b, keys, data, "pipeline.stage.0")
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var err error
			if buf, err = keys.Sign(buf[:0], data, "pipeline.stage.0"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	keys := keysOf(b, oneKey)
	eachFrame(b, func(b *testing.B, f *Frame, c Compression) {
		data := signFor(b, keys, encode(b, f, c), "pipeline.stage.0")
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if err := keys.Verify(data, "pipeline.stage.0"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
