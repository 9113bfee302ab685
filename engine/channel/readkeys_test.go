package channel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysAreReadFromAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys, err := ReadKeys(file("good", "# the new one\n 0123456789abcdef \n\nfedcba9876543210\n", 0o600))
	if err != nil || len(keys) != 2 || string(keys[0]) != "0123456789abcdef" || string(keys[1]) != "fedcba9876543210" {
		t.Errorf("%q, %v", keys, err)
	}
	for path, part := range map[string]string{
		file("open", "0123456789abcdef\n", 0o644):             "open has the mode 0644: other users may",
		file("group", "0123456789abcdef\n", 0o640):            "group has the mode 0640: its group may",
		file("written", "0123456789abcdef\n", 0o620):          "chmod 600 " + filepath.Join(dir, "written"),
		file("short", "0123456789abcdef\ntoo short\n", 0o600): "key 2 has 9 bytes: it needs 16 or more",
		file("empty", "# nothing\n", 0o600):                   "no key is given",
		file("large", strings.Repeat("x", 1<<17), 0o600):      "bytes",
		filepath.Join(dir, "missing"):                         "no such file",
		dir:                                                   "not a regular file",
	} {
		if _, err := ReadKeys(path); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", path, err, part)
		}
	}
}

// A file of root that a group may read is how secrets are handed to a process without rights of its own.
func TestAKeyFileOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o400: "", 0o440: "", 0o460: "its group may", 0o444: "other users may"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := ReadKeys(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%04o: %v", mode, err)
		}
	}
}
