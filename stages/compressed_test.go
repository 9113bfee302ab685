package stages_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"penstock/engine"
	"penstock/stages"
)

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t *testing.T, content string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return string(w.EncodeAll([]byte(content), nil))
}

// bzipped is "one\ntwo\nthree\n".
func bzipped(t *testing.T) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWQh7fdcAAATBgAAQAkGUgCAAMQwIIaPUyIVHMjio8XckU4UJAIe33XA=")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCompressedFilesAreRead(t *testing.T) {
	t.Parallel()
	content := numbered(20_000) + "the end"
	for name, test := range map[string]struct{ packed, content string }{
		"gzip":              {gzipped(t, content), content},
		"gzip of two parts": {gzipped(t, "a\nb") + gzipped(t, "c\n"), "a\nbc\n"},
		"gzip of nothing":   {gzipped(t, ""), ""},
		"gzip and zeros":    {gzipped(t, content) + strings.Repeat("\x00", 9000), content},
		"parts and a zero":  {gzipped(t, "a\nb") + gzipped(t, "") + gzipped(t, "c\n") + "\x00", "a\nbc\n"},
		"zstd":              {zstandard(t, content), content},
		"bzip2":             {bzipped(t), "one\ntwo\nthree\n"},
		"text like bzip2":   {"BZh91 is a line\n", "BZh91 is a line\n"},
		"gzip of a text":    {gzipped(t, "BZh9 is a line\n"), "BZh9 is a line\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, filepath.Join(t.TempDir(), "file.txt"), test.packed)
			for _, again := range []func() bool{never, always} {
				if got, want := readAll(t, stages.Lines(path), again), split(test.content); !slices.Equal(got, want) {
					t.Errorf("%d lines, want %d: %.200q", len(got), len(want), got)
				}
			}
		})
	}
}

func TestLongLinesOfCompressedFilesAreLeftOut(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "bomb.gz"), gzipped(t, "a\n"+strings.Repeat("\x00", 20<<20)+"\nb\n"))
	read := stages.Files{Roots: []string{path}, LongLines: stages.SkipLongLines}.Lines()
	if got := readAll(t, read, never); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%.100q", got)
	}
}

func deflated(t *testing.T, level int, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Two letters of a text may be the beginning of a zlib stream.
func TestATextIsNotTakenForCompressed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x^2 + y\n", "x^", "x\x01", "x\x9c\xff and more text of this kind\n", "]\n"} {
		path := writeFile(t, filepath.Join(t.TempDir(), "file"), text)
		var state stages.LinesState
		var got []string
		read, err := stages.Lines(path), error(nil)
		for err == nil {
			err = read(t.Context(), &state, func(line string, _ ...engine.EmitOption) { got = append(got, line) })
		}
		if !errors.Is(err, io.EOF) || strings.Join(got, "\n") != strings.TrimSuffix(text, "\n") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// What is compressed within something compressed is no text.
func TestCompressedTwiceIsRefusedByName(t *testing.T) {
	t.Parallel()
	text := numbered(1000)
	for want, content := range map[string]string{
		"gzip within gzip":  gzipped(t, gzipped(t, text)),
		"zstd within gzip":  gzipped(t, zstandard(t, text)),
		"gzip within zstd":  zstandard(t, gzipped(t, text)),
		"bzip2 within gzip": gzipped(t, bzipped(t)),
		"xz within gzip":    gzipped(t, "\xfd7zXZ\x00\x00\x04"),
		"zip within zstd":   zstandard(t, "PK\x05\x06"+strings.Repeat("\x00", 18)),
	} {
		path := writeFile(t, filepath.Join(t.TempDir(), "file"), content)
		var state stages.LinesState
		err := stages.Lines(path)(t.Context(), &state, func(line string, _ ...engine.EmitOption) { t.Errorf("%s: a line %.20q", want, line) })
		wantError(t, err, path)
		wantError(t, err, want)
	}
}

// A bzip2 file may be cut before its first block.
func TestABzip2FileThatIsCutIsRefused(t *testing.T) {
	t.Parallel()
	for size := 4; size < 20; size++ {
		path := writeFile(t, filepath.Join(t.TempDir(), "file"), bzipped(t)[:size])
		var state stages.LinesState
		err := stages.Lines(path)(t.Context(), &state, func(line string, _ ...engine.EmitOption) { t.Errorf("%d bytes: a line %q", size, line) })
		wantError(t, err, "bzip2 file is damaged or incomplete")
	}
}

func TestCompressedFilesThatCannotBeReadAreRefusedByName(t *testing.T) {
	t.Parallel()
	whole := gzipped(t, numbered(1000))
	for name, content := range map[string]string{
		"xz":         "\xfd7zXZ\x00\x00\x04",
		"lz4":        "\x04\x22\x4d\x18\x64\x40",
		"lz4)":       "\x02\x21\x4c\x18\x64\x40", // an older form
		"lzma":       "\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff",
		"zlib":       deflated(t, zlib.BestSpeed, "few"),
		"zlib)":      deflated(t, zlib.DefaultCompression, numbered(10000)),
		"zip":        "PK\x03\x04\x14\x00",
		"7z":         "7z\xbc\xaf\x27\x1c\x00",
		"compress":   "\x1f\x9d\x90abc",
		"pack":       "\x1f\x1e\x00\x00\x00\x05",
		"pack (.z))": "\x1f\x1f\x00\x00\x00\x05", // of old
		"behind":     whole + "\x00\x00more",
		"behind it":  whole + "more",
		"cut behind": whole + whole[:5],
		"snappy":     "\xff\x06\x00\x00sNaPpY",
		"zip)":       "PK\x05\x06" + strings.Repeat("\x00", 18), // without a file
		"xz)":        "\xfd7z",
		"damaged":    whole[:100] + "XXXX" + whole[104:],
		"incomplete": whole[:len(whole)/2],
		"two bytes":  whole[:2],
		"ten bytes":  whole[:10],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, filepath.Join(t.TempDir(), "file"), content)
			var state stages.LinesState
			read, err := stages.Lines(path), error(nil)
			for err == nil {
				err = read(t.Context(), &state, func(string, ...engine.EmitOption) {})
			}
			wantError(t, err, path)
			if !strings.Contains(err.Error(), "compressed ("+name) && !strings.Contains(err.Error(), "gzip file is damaged or incomplete") {
				t.Error(err)
			}
		})
	}
}

// Some formats have no bytes that tell them: their names do. A file in one that is named otherwise cannot be told.
func TestWhatOnlyItsNameTellsIsRefused(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"words.txt.br": "brotli", "words.BR": "brotli", "words.deflate": "deflate", "words.snappy": "snappy", "br": "", "words.brx": ""} {
		path := writeFile(t, filepath.Join(t.TempDir(), name), "\x0b\x02\x80one\n\x03")
		var state stages.LinesState
		err := stages.Lines(path)(t.Context(), &state, func(string, ...engine.EmitOption) {})
		if want == "" {
			if err != nil && !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantError(t, err, path, "compressed ("+want+")", "unpack it")
	}
	for _, name := range []string{"words.snappy", "empty.br"} { // the bytes tell more than the name, and nothing needs none
		content := ""
		if name == "words.snappy" {
			content = gzipped(t, "a\n")
		}
		path := writeFile(t, filepath.Join(t.TempDir(), name), content)
		if got, want := readAll(t, stages.Lines(path), never), strings.Count(name, "words"); len(got) != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestACompressedFileThatChangedIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do   func(path string) error
		want []string // nil: it goes on
	}{
		"another content":   {func(path string) error { return replace(path, gzipped(t, named("other", 50_000))) }, []string{"replaced or changed"}},
		"packed otherwise":  {func(path string) error { return replace(path, zstandard(t, numbered(50_000))) }, []string{"was compressed (gzip)", "is compressed (zstd)"}},
		"unpacked":          {func(path string) error { return replace(path, numbered(50_000)) }, []string{"not compressed"}},
		"grown by a member": {func(path string) error { return appendTo(path, gzipped(t, "more\n")) }, nil},
		"nothing":           {func(string) error { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, filepath.Join(t.TempDir(), "file.gz"), gzipped(t, numbered(50_000)))
			state := new(stages.LinesState)
			first, err := aLife(t, stages.Lines(path), state, contains("line 040000"))
			if err != nil {
				t.Fatal(err)
			}
			if err := test.do(path); err != nil {
				t.Fatal(err)
			}
			lines, err := aLife(t, stages.Lines(path), state, nothing)
			if test.want != nil {
				wantError(t, err, append(test.want, path)...)
				return
			}
			if want := 50_000 + strings.Count(name, "grown"); err != io.EOF || len(first)+len(lines) != want {
				t.Errorf("%v, %d lines, want %d", err, len(first)+len(lines), want)
			}
		})
	}
}

func TestACompressedFileThatIsReplacedWhileItIsReadIsRefused(t *testing.T) {
	t.Parallel()
	path := writeFile(t, filepath.Join(t.TempDir(), "file.gz"), gzipped(t, numbered(50_000)))
	var state stages.LinesState
	read, emit := stages.Lines(path), func(string, ...engine.EmitOption) {}
	if err := read(t.Context(), &state, emit); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(gzipped(t, named("other", 50_000))), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, read(t.Context(), &state, emit), path, "replaced or changed")
}
