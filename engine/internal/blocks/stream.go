package blocks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"

	"penstock/internal/bitflip"
	"penstock/internal/nofollow"
)

// Stream is the directory of one stream.
type Stream struct {
	Name     string
	Dir      string
	Settings Settings
	Problem  error // with the settings; nil: they are sound
}

// Settings are those of a stream that matter here.
type Settings struct {
	Name        string            `json:"name"`
	Subjects    []string          `json:"subjects"`
	Metadata    map[string]string `json:"metadata"`
	Compression string            `json:"compression"`
}

// Streams lists the streams under the directory of a server, by name.
func Streams(dir string) ([]*Stream, error) {
	paths, err := nofollow.Glob(dir, "jetstream/*/streams/*")
	if err != nil {
		return nil, err
	}
	var list []*Stream
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), ".") {
			continue
		}
		s, err := Open(path)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// Lookup finds the stream of that name under the directory of a server.
func Lookup(dir, name string) (s *Stream, found bool, err error) {
	list, err := Streams(dir)
	for _, s := range list {
		if s.Name == name {
			return s, true, nil
		}
	}
	return nil, false, err
}

// Open reads the settings of the stream in a directory.
func Open(dir string) (*Stream, error) {
	s := &Stream{Name: filepath.Base(dir), Dir: dir}
	data, err := nofollow.ReadFile(filepath.Join(dir, "meta.inf"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.Problem = errors.New("the settings are gone")
	case err != nil:
		return nil, err
	default:
		s.Problem = s.readSettings(data)
	}
	return s, nil
}

func (s *Stream) readSettings(data []byte) error {
	if err := json.Unmarshal(data, &s.Settings); err != nil {
		return fmt.Errorf("the settings cannot be read: %w", err)
	}
	if s.Settings.Name != s.Name {
		return fmt.Errorf("the settings are those of %q", s.Settings.Name)
	}
	sum, err := nofollow.ReadFile(filepath.Join(s.Dir, "meta.sum"))
	want, hashErr := s.sumOf(data)
	switch {
	case hashErr != nil:
		return hashErr
	case err != nil:
		return fmt.Errorf("the checksum of the settings cannot be read: %v", err)
	case string(sum) != want:
		return errors.New("the settings do not match their checksum")
	}
	return nil
}

// IsOfAnother says that settings are undamaged ones of another stream, whose files were put here.
func (s *Stream) IsOfAnother(settings []byte) bool {
	another := &Stream{Dir: s.Dir}
	if json.Unmarshal(settings, &another.Settings) != nil || another.Settings.Name == s.Name {
		return false
	}
	another.Name = another.Settings.Name
	return another.readSettings(settings) == nil
}

func (s *Stream) sumOf(settings []byte) (string, error) {
	key := sha256.Sum256([]byte(s.Name))
	h, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		return "", err
	}
	_, _ = h.Write(settings)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// MendSettings finds out whether settings and checksum differ by one flipped bit, or whether only the checksum is
// damaged, and says what to write then: the settings as they were.
func (s *Stream) MendSettings() (settings []byte, found bool) {
	data, err := nofollow.ReadFile(filepath.Join(s.Dir, "meta.inf"))
	if err != nil || len(data) > mostCorrected {
		return nil, false
	}
	sum, _ := nofollow.ReadFile(filepath.Join(s.Dir, "meta.sum"))
	var have Settings
	if json.Unmarshal(data, &have) == nil && have.Name == s.Name {
		want, err := s.sumOf(data)
		if err == nil && (!isSum(sum) || distance(sum, []byte(want)) <= 1) {
			return data, true
		}
	}
	bit, found := bitflip.Find(data, func() bool {
		now, err := s.sumOf(data)
		return err == nil && now == string(sum)
	})
	if found {
		data[bit/8] ^= 1 << (bit % 8)
	}
	return data, found
}

// isSum says that a file holds a checksum, whatever it is.
func isSum(sum []byte) bool {
	var n [8]byte
	_, err := hex.Decode(n[:], sum)
	return len(sum) == 16 && err == nil
}

// distance is how many bits differ.
func distance(a, b []byte) (n int) {
	for k := range min(len(a), len(b)) {
		n += bits.OnesCount8(a[k] ^ b[k])
	}
	return n
}

// Describe writes settings anew, with their checksum, each at once and in the order of the server.
func (s *Stream) Describe(settings []byte) error {
	sum, err := s.sumOf(settings)
	if err != nil {
		return err
	}
	if err := replace(filepath.Join(s.Dir, "meta.inf"), settings); err != nil {
		return err
	}
	return replace(filepath.Join(s.Dir, "meta.sum"), []byte(sum))
}

// files are the blocks of the stream, oldest first.
func (s *Stream) files() ([]string, error) {
	names, err := nofollow.Glob(s.Dir, "msgs/*.blk")
	if err != nil {
		return nil, err
	}
	sort.Slice(names, func(i, j int) bool { return numberOf(names[i]) < numberOf(names[j]) })
	return names, nil
}

// Blockless says that the server's index is there and no block at all: it takes the messages for deleted.
func (s *Stream) Blockless() bool {
	files, err := s.files()
	_, missing := os.Stat(filepath.Join(s.Dir, "msgs", "index.db"))
	return err == nil && len(files) == 0 && missing == nil
}

// numberOf is a block's number, which is part of its checksums.
func numberOf(path string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".blk"))
	if err != nil {
		return -1
	}
	return n
}
