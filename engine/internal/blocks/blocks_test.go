package blocks

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/highwayhash"
)

// record is one as the server writes it.
func record(t *testing.T, stream string, block int, sequence uint64, subject, data string) []byte {
	t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, uint32(headSize+len(subject)+len(data)+sumSize))
	b = binary.LittleEndian.AppendUint64(b, sequence)
	b = binary.LittleEndian.AppendUint64(b, 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(subject)))
	b = append(b, subject+data...)
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", stream, block))
	h, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		t.Fatal(err)
	}
	_, _ = h.Write(b[4:20])
	_, _ = h.Write(b[headSize:])
	return h.Sum(b)
}

// made is a stream of two blocks, with the records 1 to 3 and 4 to 6.
func made(t *testing.T) *Stream {
	t.Helper()
	s := &Stream{Name: "p+s", Dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.Dir, "msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	for block := 1; block <= 2; block++ {
		var data []byte
		for n := range uint64(3) {
			data = append(data, record(t, s.Name, block, uint64(block-1)*3+n+1, "p.s.0", "some content")...)
		}
		if err := os.WriteFile(s.block(block), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *Stream) block(n int) string { return filepath.Join(s.Dir, "msgs", fmt.Sprintf("%d.blk", n)) }

func scan(t *testing.T, s *Stream) (sequences []uint64, damages []Damage) {
	t.Helper()
	damages, err := s.Scan(func(r Record) error {
		if r.Subject != "p.s.0" || string(r.Data) != "some content" {
			t.Errorf("record %d is %q, %q", r.Sequence, r.Subject, r.Data)
		}
		sequences = append(sequences, r.Sequence)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sequences, damages
}

func TestEveryFlippedBitIsFoundAndFlippedBack(t *testing.T) {
	t.Parallel()
	s := made(t)
	if all, damages := scan(t, s); len(all) != 6 || len(damages) != 0 {
		t.Fatalf("%v, %v", all, damages)
	}
	good, err := os.ReadFile(s.block(1))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(good) * 8 {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(s.block(1), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		_, damages := scan(t, s)
		if len(damages) != 1 || damages[0].From*8+damages[0].Bit != int64(bit) || damages[0].Last {
			t.Fatalf("bit %d: %v", bit, damages)
		}
		if err := s.Mend(damages); err != nil {
			t.Fatal(err)
		}
		if now, err := os.ReadFile(s.block(1)); err != nil || !slices.Equal(now, good) {
			t.Fatalf("bit %d is not as it was: %v", bit, err)
		}
	}
}

func TestDamagedPiecesAreTakenOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		block  int
		damage func(data []byte) []byte
		left   []uint64
		last   bool
		torn   bool
	}{
		"in the middle":    {1, func(d []byte) []byte { copy(d[60:], "xxxxxxxx"); return d }, []uint64{1, 3, 4, 5, 6}, false, false},
		"end of a block":   {1, func(d []byte) []byte { return d[:len(d)-5] }, []uint64{1, 2, 4, 5, 6}, false, false},
		"end of all":       {2, func(d []byte) []byte { return d[:len(d)-5] }, []uint64{1, 2, 3, 4, 5}, true, true},
		"zeros at the end": {2, func(d []byte) []byte { clear(d[len(d)-len(d)/3:]); return d }, []uint64{1, 2, 3, 4, 5}, true, true},
		"zeros in front":   {2, func(d []byte) []byte { clear(d[:len(d)/3]); return d }, []uint64{1, 2, 3, 5, 6}, false, false},
		"an empty page":    {2, func(d []byte) []byte { return append(d[:len(d)-5], make([]byte, 2*page)...) }, []uint64{1, 2, 3, 4, 5}, true, true},
		"half a page":      {2, func(d []byte) []byte { clear(d[len(d)-30:]); return d }, []uint64{1, 2, 3, 4, 5}, true, false},
		"nothing is left":  {2, func(d []byte) []byte { return []byte(strings.Repeat("x", 100)) }, []uint64{1, 2, 3}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := made(t)
			data, err := os.ReadFile(s.block(c.block))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(s.block(c.block), c.damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			_, damages := scan(t, s)
			if len(damages) != 1 || damages[0].Last != c.last || damages[0].Torn != c.torn {
				t.Fatalf("damages %v", damages)
			}
			if err := s.Mend(damages); err != nil {
				t.Fatal(err)
			}
			if left, damages := scan(t, s); !slices.Equal(left, c.left) || len(damages) != 0 {
				t.Errorf("left %v, damages %v", left, damages)
			}
		})
	}
}

func TestSettingsAreMended(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &Stream{Name: "p+s", Dir: filepath.Join(dir, "jetstream", "$G", "streams", "p+s")}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	settings := []byte(`{"name":"p+s","subjects":["p.s.*"]}`)
	if err := s.Describe(settings); err != nil {
		t.Fatal(err)
	}
	sound := func() bool {
		list, err := Streams(dir)
		return err == nil && len(list) == 1 && list[0].Problem == nil
	}
	if !sound() {
		t.Fatal("it is not sound")
	}
	for _, name := range []string{"meta.inf", "meta.sum"} {
		path := filepath.Join(s.Dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range len(good) * 8 {
			bad := slices.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if sound() {
				t.Fatalf("%s, bit %d is not noticed", name, bit)
			}
			mended, found := s.MendSettings()
			if !found || !slices.Equal(mended, settings) {
				t.Fatalf("%s, bit %d: %q, %v", name, bit, mended, found)
			}
			if err := s.Describe(mended); err != nil || !sound() {
				t.Fatalf("%s, bit %d: %v", name, bit, err)
			}
		}
	}
}
