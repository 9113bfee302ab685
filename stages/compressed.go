package stages

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"penstock/engine"
)

// magicBytes is how much of a file tells its format.
const magicBytes = 4 << 10

// windowMost is how much of what was decompressed before a zstd file may refer
// to: what "zstd -d" takes without an option.
const windowMost = 128 << 20

// isZlib says that the bytes begin a zlib stream. Its two first bytes may also
// begin a text, such as "x^2", so it is tried.
func isZlib(head []byte) bool {
	r, err := zlib.NewReader(bytes.NewReader(head))
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(r, magicBytes))
	return n > 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF))
}

// formatOf tells a compressed file by its first bytes; "" is none.
func formatOf(head []byte) string {
	begins := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case begins("\x1f\x8b"):
		return "gzip"
	case isBzip2(head):
		return "bzip2"
	case begins("\x28\xb5\x2f\xfd"), len(head) > 3 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18":
		return "zstd"
	case begins("\xfd7zXZ\x00"):
		return "xz"
	case begins("\x04\x22\x4d\x18"), begins("\x02\x21\x4c\x18"):
		return "lz4"
	case begins("\x5d\x00\x00"):
		return "lzma"
	case isZlib(head):
		return "zlib"
	case begins("PK\x03\x04"), begins("PK\x05\x06"), begins("PK\x07\x08"): // the second has no files
		return "zip"
	case begins("7z\xbc\xaf\x27\x1c"):
		return "7z"
	case begins("Rar!\x1a\x07"):
		return "rar"
	case begins("LZIP\x01"):
		return "lzip"
	case begins("\x89LZO\x00\r\n\x1a\n"):
		return "lzop"
	case begins("\xff\x06\x00\x00sNaPpY"), begins("\xff\x06\x00\x00S2sTwO"):
		return "snappy"
	case begins("\x1f\x9d"), begins("\x1f\xa0"):
		return "compress (.Z)"
	case begins("\x1f\x1e"), begins("\x1f\x1f"): // the second one is an old form
		return "pack (.z)"
	}
	return cutFormat(head)
}

// isBzip2 says that the bytes begin a bzip2 file, also one that is cut before its
// first block. A text may begin with "BZh9" too.
func isBzip2(head []byte) bool {
	const begin, block, end = "BZh", "1AY&SY", "\x17rE8P\x90"
	if len(head) < 4 || string(head[:3]) != begin || head[3] < '1' || head[3] > '9' {
		return false
	}
	rest := string(head[4:min(len(head), 10)])
	return strings.HasPrefix(block, rest) || strings.HasPrefix(end, rest)
}

// cutFormat tells a file that ends within what begins its format, as far as it is
// no text.
func cutFormat(head []byte) string {
	if len(head) < 2 || !slices.ContainsFunc(head, func(b byte) bool { return b < ' ' || b >= 0x7f }) {
		return ""
	}
	for magic, format := range map[string]string{
		"\x28\xb5\x2f\xfd": "zstd", "\xfd7zXZ\x00": "xz", "\x04\x22\x4d\x18": "lz4", "\x02\x21\x4c\x18": "lz4", "\x5d\x00\x00": "lzma",
		"PK\x03\x04": "zip", "PK\x05\x06": "zip", "7z\xbc\xaf\x27\x1c": "7z", "Rar!\x1a\x07": "rar", "LZIP\x01": "lzip",
		"\x89LZO\x00\r\n\x1a\n": "lzop", "\xff\x06\x00\x00sNaPpY": "snappy",
	} {
		if strings.HasPrefix(magic, string(head)) {
			return format
		}
	}
	return ""
}

// nameless are formats that no first byte tells: brotli, raw deflate, and snappy without its frames.
var nameless = map[string]string{".br": "brotli", ".deflate": "deflate", ".snappy": "snappy"}

// formatNamed tells a format that only the name tells. A text with such a name is refused too: it is renamed
// more easily than wrong counts are found.
func formatNamed(path string) string { return nameless[strings.ToLower(filepath.Ext(path))] }

func formatName(format string) string {
	if format == "" {
		return "not compressed"
	}
	return "compressed (" + format + ")"
}

// unpacked is the content of a compressed file. It can be read on from where it
// was, as a file opened anew is; reading before that begins at the start.
type unpacked struct {
	format  string
	raw     rawReader
	decoder io.Reader
	window  []byte // decompressed
	at      int64  // where the window begins
	err     error  // behind the window
}

// rawReader reads the file that is open at the moment.
type rawReader struct {
	file io.ReaderAt
	at   int64
}

// Read reads on.
func (r *rawReader) Read(p []byte) (int, error) {
	n, err := r.file.ReadAt(p, r.at)
	r.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// newUnpacked returns nil for a file that is not compressed.
func newUnpacked(path string, file io.ReaderAt) (*unpacked, error) {
	head := make([]byte, magicBytes)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	format := formatOf(head[:n])
	if format == "" && n > 0 {
		format = formatNamed(path)
	}
	switch format {
	case "":
		return nil, nil
	case "gzip", "bzip2", "zstd":
		u := &unpacked{format: format, raw: rawReader{file: file}}
		return u, u.checkContent(path)
	default:
		return nil, engine.Fatal(fmt.Errorf("read %s: it is compressed (%s), which cannot be read here: unpack it, or leave it out; gzip, bzip2 and zstd are read", path, format))
	}
}

// checkContent refuses what is compressed again. What cannot be decompressed is
// told when it is read.
func (u *unpacked) checkContent(path string) error {
	head := make([]byte, magicBytes)
	n, err := u.ReadAt(head, 0)
	var system *fs.PathError
	if errors.As(err, &system) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if inner := formatOf(head[:n]); inner != "" {
		return engine.Fatal(fmt.Errorf("read %s: it is compressed twice (%s within %s), which cannot be read here: unpack it once, or leave it out",
			path, inner, u.format))
	}
	return nil
}

func (u *unpacked) begin() (err error) {
	u.raw.at, u.at, u.window, u.err = 0, 0, u.window[:0], nil
	switch u.format {
	case "gzip":
		u.decoder, err = newGunzip(&u.raw)
	case "bzip2":
		u.decoder = bzip2.NewReader(&u.raw)
	case "zstd":
		u.decoder, err = zstd.NewReader(&u.raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(windowMost))
	}
	if err != nil {
		u.decoder = nil
	}
	return err
}

// ReadAt reads from an offset of the content.
func (u *unpacked) ReadAt(p []byte, offset int64) (int, error) {
	if u.decoder == nil || offset < u.at {
		if err := u.begin(); err != nil {
			return 0, u.damaged(err)
		}
	}
	for {
		drop := min(offset-u.at, int64(len(u.window)))
		u.window = u.window[:copy(u.window, u.window[drop:])]
		u.at += drop
		if len(u.window) >= len(p) || u.err != nil {
			break
		}
		u.more(max(len(p), callBytes))
	}
	n := 0
	if u.at == offset {
		n = copy(p, u.window)
	}
	if n < len(p) {
		return n, u.damaged(u.err)
	}
	return n, nil
}

// more decompresses into the window, up to its size.
func (u *unpacked) more(size int) {
	if cap(u.window) < size {
		u.window = append(make([]byte, 0, size), u.window...)
	}
	n, err := u.decoder.Read(u.window[len(u.window):size])
	u.window, u.err = u.window[:len(u.window)+n], err
}

// damaged makes clear that another try finds the same.
func (u *unpacked) damaged(err error) error {
	var system *fs.PathError
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &system) {
		return err
	}
	return engine.Fatal(fmt.Errorf("the %s file is damaged or incomplete: %w; replace it by a complete one, or leave it out", u.format, err))
}
