package stages_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"testing"

	"penstock/stages"
)

// placeWith is the place behind the first of 40 files' lines, with a value in its JSON that another build may have written.
func placeWith(t *testing.T, root string, part, name string, value any) (state stages.LinesState) {
	t.Helper()
	for i := range 40 {
		writeFile(t, filepath.Join(root, fmt.Sprintf("file-%02d", i)), numbered(100))
	}
	if _, err := aLife(t, stages.Lines(root), &state, contains("line 000099")); err != nil {
		t.Fatal(err)
	}
	return changed(t, state, part, name, value)
}

// changed is a place with another value in its JSON.
func changed(t *testing.T, state stages.LinesState, part, name string, value any) (other stages.LinesState) {
	t.Helper()
	fields := map[string]any{}
	exact := json.NewDecoder(bytes.NewReader(encoded(t, state)))
	exact.UseNumber()
	if err := exact.Decode(&fields); err != nil {
		t.Fatal(err)
	}
	at := fields
	if part != "" {
		at = fields[part].(map[string]any)
	}
	at[name] = value
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &other); err != nil {
		t.Fatal(err)
	}
	return other
}

// A place that this version cannot have written is refused, and breaks nothing.
func TestAPlaceOfAnotherBuildIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		part, name string
		value      any
		want       string
	}{
		"more read than there are":  {"list", "done", 41, "41 of 40 files"},
		"less than none read":       {"list", "done", -1, "-1 of 40 files"},
		"less than none there":      {"list", "count", -1, "-1 files"},
		"knows more than it read":   {"list", "each", make([]byte, 4*41), "164 bytes"},
		"before the file":           {"", "offset", -5, "byte -5"},
		"further in the line":       {"", "passed", 1 << 40, "into a line"},
		"a head that ends first":    {"file", "head", map[string]any{"from": 9, "to": 3}, "bytes 9 to 3"},
		"a tail behind its place":   {"file", "tail", map[string]any{"from": 0, "to": 1 << 50}, "bytes 0 to"},
		"a tail from before it all": {"file", "tail", map[string]any{"from": -1, "to": 3}, "bytes -1 to 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			state := placeWith(t, root, test.part, test.name, test.value)
			_, err := aLife(t, stages.Lines(root), &state, nothing)
			wantError(t, err, "this version cannot have written", test.want, root, "Config.Fresh")
		})
	}
}

// A build with a larger bound for the names knows the files of a list that this one knows only by its checksum.
func TestAPlaceThatKnowsMoreOfTheFilesIsUsed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var each []byte
	for i := range 2000 {
		path := writeFile(t, filepath.Join(root, fmt.Sprintf("file-%05d", i)), fmt.Sprintf("line %05d\n", i))
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if i < 1000 {
			stat := binary.LittleEndian.AppendUint64(nil, uint64(info.Size()))
			stat = binary.LittleEndian.AppendUint64(stat, uint64(info.ModTime().UnixNano()))
			each = binary.LittleEndian.AppendUint32(each, crc32.ChecksumIEEE(stat))
		}
	}
	state := placeAt(t, root, "line 00999")
	if state.List.Done != 1000 {
		t.Fatalf("%d files are read", state.List.Done)
	}
	state = changed(t, state, "list", "each", each)
	again := saved(t, state)
	if _, err := aLife(t, stages.Lines(root), &again, nothing); err != io.EOF {
		t.Error(err)
	}
	if err := overwrite(filepath.Join(root, "file-00500"), 0, "X"); err != nil {
		t.Fatal(err)
	}
	_, err := aLife(t, stages.Lines(root), &state, nothing)
	wantError(t, err, "file-00500 was written to after it was read")
}
