package blocks

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/minio/highwayhash"

	"penstock/internal/nofollow"
)

// The form of a record.
const (
	headSize = 22 // length, sequence, time, length of the subject
	sumSize  = 8
	hasHead  = 1 << 31  // in the length: there are headers
	special  = 3 << 62  // in the sequence: a deletion, or what was deleted
	tooLong  = 32 << 20 // more than the server writes
)

// Record is a message that is stored, or was: one that was deleted may still be there.
type Record struct {
	Sequence uint64
	Subject  string
	Header   []byte // as the client sent it; nil: none
	Data     []byte // of the message, without headers
}

// Damage is a piece of a block that is no record.
type Damage struct {
	File   string // relative to the stream's directory
	From   int64
	To     int64 // where the next record begins, or the end of the file
	Reason string
	Bit    int64 // to be flipped back, from From on; -1: not known
	Last   bool  // nothing is behind it in the stream
	Torn   bool  // it is what a death or a cut of the power in a write leaves: a record that ends with the file, or in zeros
}

func (d Damage) String() string {
	where := "in the middle"
	if d.Last {
		where = "at the end"
	}
	text := fmt.Sprintf("%s: bytes %d to %d, %s of the stream: %s", d.File, d.From, d.To, where, d.Reason)
	if d.Bit >= 0 {
		text += fmt.Sprintf("; by its checksum, bit %d of byte %d is flipped", d.Bit%8, d.From+d.Bit/8)
	}
	return text
}

// Scan reads all blocks. It calls fn for every record and returns what is damaged. An error is one of reading, or fn's.
func (s *Stream) Scan(fn func(Record) error) ([]Damage, error) {
	if s.Settings.Compression != "" && s.Settings.Compression != "none" {
		return nil, fmt.Errorf("%w: its blocks are compressed", errors.ErrUnsupported)
	}
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	var all []Damage
	for _, path := range files {
		damages, records, err := s.scanFile(path, fn)
		if err != nil {
			return nil, err
		}
		if records > 0 { // something is behind
			notLast(all)
		}
		all = append(all, damages...)
	}
	return all, nil
}

func (s *Stream) scanFile(path string, fn func(Record) error) (damages []Damage, records int, err error) {
	data, err := nofollow.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", s.Name, numberOf(path)))
	sum, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		return nil, 0, err
	}
	from := reader{sum, s.fits}
	name, err := filepath.Rel(s.Dir, path)
	if err != nil {
		return nil, 0, err
	}
	for at := 0; at < len(data); {
		record, size, bad := from.read(data[at:])
		if bad == nil {
			notLast(damages)
			records++
			if record.Sequence&special == 0 && record.Sequence > 0 {
				if err := fn(record); err != nil {
					return nil, 0, err
				}
			}
			at += size
			continue
		}
		d := Damage{File: name, From: int64(at), Reason: bad.Error(), Last: true, Torn: errors.Is(bad, errCutOff) || endsInZeros(data, at), Bit: -1}
		if bit, size, found := from.correctable(data[at:]); found {
			d.Bit, d.Torn, at = bit, false, at+size
		} else {
			at = from.next(data, at+1)
		}
		d.To = int64(at)
		damages = append(damages, d)
	}
	return damages, records, nil
}

func notLast(damages []Damage) {
	for k := range damages {
		damages[k].Last, damages[k].Torn = false, false
	}
}

// page is what a file system writes at once. The file may be longer already than what has been written.
const page = 4096

// endsInZeros says that the pages behind a place are empty, and perhaps what is before them in its page.
func endsInZeros(data []byte, at int) bool {
	zeros := len(bytes.TrimRight(data[at:], "\x00")) + at
	return zeros == at || (zeros+page-1)/page*page < len(data)
}

// next finds the next record at or after a place, or the end.
func (r reader) next(data []byte, at int) int {
	for ; at+headSize+sumSize <= len(data); at++ {
		rl := binary.LittleEndian.Uint32(data[at:]) &^ hasHead
		if rl < headSize+sumSize || rl > tooLong || at+int(rl) > len(data) {
			continue
		}
		if subject := int(binary.LittleEndian.Uint16(data[at+20:])); subject > int(rl)-headSize-sumSize {
			continue
		}
		if _, _, err := r.read(data[at:]); err == nil {
			return at
		}
	}
	return len(data)
}

// reader reads the records of one block.
type reader struct {
	sum  hash.Hash
	fits func(subject string) bool
}

var errCutOff = errors.New("a record is cut off")

// read reads the record that data begins with. The size is also given when only the checksum is wrong.
func (from reader) read(data []byte) (r Record, size int, err error) {
	if len(data) < headSize+sumSize {
		return r, 0, fmt.Errorf("%w after %d bytes", errCutOff, len(data))
	}
	length := binary.LittleEndian.Uint32(data)
	subject, headers := int(binary.LittleEndian.Uint16(data[20:])), 0
	if length&hasHead != 0 {
		length, headers = length&^hasHead, 4
	}
	size = int(length)
	if size < headSize+sumSize || size > tooLong || subject+headers > size-headSize-sumSize {
		return r, 0, fmt.Errorf("a record has the invalid length of %d bytes", size)
	}
	if size > len(data) {
		return r, 0, fmt.Errorf("%w after %d bytes of %d", errCutOff, len(data), size)
	}
	body := data[headSize : size-sumSize]
	from.sum.Reset()
	from.sum.Write(data[4:20])
	from.sum.Write(body[:subject])
	from.sum.Write(body[subject+headers:])
	if !bytes.Equal(from.sum.Sum(nil), data[size-sumSize:size]) {
		return r, size, errors.New("a record does not match its checksum")
	}
	r.Sequence, r.Subject, r.Data = binary.LittleEndian.Uint64(data[4:]), string(body[:subject]), body[subject:]
	if headers > 0 {
		n := int(binary.LittleEndian.Uint32(r.Data))
		if n > len(r.Data)-4 {
			return r, 0, fmt.Errorf("headers have the invalid length of %d bytes", n)
		}
		r.Header, r.Data = r.Data[4:4+n], r.Data[4+n:]
	}
	if hasData := r.Subject != "" || len(r.Data) > 0; hasData && !from.fits(r.Subject) {
		return r, 0, fmt.Errorf("a record has the subject %q, which is not one of the stream", r.Subject)
	}
	return r, size, nil
}

// fits says whether a message of that subject may be in the stream: where the subject ends no checksum tells.
func (s *Stream) fits(subject string) bool {
	pipeline, stage, isChannel := strings.Cut(s.Name, "+")
	if !isChannel || strings.Contains(stage, "+") {
		return subject != "" && !strings.HasSuffix(subject, ".")
	}
	instance, found := strings.CutPrefix(strings.TrimSuffix(subject, ".own"), pipeline+"."+stage+".") // the register's subject ends so
	if _, err := strconv.ParseUint(instance, 10, 32); err == nil {
		return found
	}
	return found && isToken(instance)
}

// isToken says that another client may have published to a subject that ends so. With a digit in front it is the
// subject of an instance, cut off at the wrong place.
func isToken(token string) bool {
	return token != "" && (token[0] < '0' || token[0] > '9') && !strings.ContainsFunc(token, func(r rune) bool {
		return r <= ' ' || r == '.' || r > unicode.MaxASCII
	})
}

// Mend flips back the bits that are known to be flipped, takes other damaged pieces out of the blocks, and keeps
// everything else. The server makes its index anew.
func (s *Stream) Mend(damages []Damage) error {
	byFile := map[string][]Damage{}
	for _, d := range damages {
		byFile[d.File] = append(byFile[d.File], d)
	}
	for name, list := range byFile {
		path := filepath.Join(s.Dir, name)
		data, err := nofollow.ReadFile(path)
		if err != nil {
			return err
		}
		var kept []byte
		at := int64(0)
		for _, d := range list {
			if d.Bit >= 0 {
				data[d.From+d.Bit/8] ^= 1 << (d.Bit % 8)
				continue
			}
			kept, at = append(kept, data[at:d.From]...), d.To
		}
		if err := replace(path, append(kept, data[at:]...)); err != nil {
			return err
		}
	}
	return s.DropIndex()
}

// DropIndex removes what the server makes anew from the blocks.
func (s *Stream) DropIndex() error {
	err := os.Remove(filepath.Join(s.Dir, "msgs", "index.db"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".mending-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}
