//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func damageFaults() []fault {
	may := needs{refusal: true, writes: true}
	return []fault{
		{"flip", "some bits of a file in the data directory are flipped while nothing runs", may, (*cycle).flipBits},
		{"truncate", "a file in the data directory is cut off while nothing runs", may, (*cycle).truncateFile},
		{"zero", "a piece of a file in the data directory is zeros", may, (*cycle).zeroPiece},
		{"remove", "a file in the data directory is gone", may, (*cycle).removeFile},
	}
}

// isDamage says whether a fault is one of these: what it leaves, the doctor must see.
func isDamage(f fault) bool {
	return slices.ContainsFunc(damageFaults(), func(d fault) bool { return d.name == f.name })
}

// kindOf is what a file of the data directory is for. Each kind is damaged as often as any other.
func kindOf(relative string) string {
	dir, base := filepath.Split(filepath.ToSlash(relative))
	name := base
	if ext := filepath.Ext(base); strings.Trim(strings.TrimSuffix(base, ext), "0123456789") == "" {
		name = "*" + ext // a number
	}
	switch {
	case strings.HasPrefix(dir, "checkpoints/"):
		return "checkpoints/" + name
	case strings.Contains(dir, "/obs/"):
		return "consumer/" + name
	case strings.Contains(dir, "/streams/") && strings.Contains(dir, "++"):
		return "dead letters/" + name
	case strings.Contains(dir, "/streams/"):
		return "channel/" + name
	}
	return name
}

// files are those of the data directory, by kind; only a removal finds something to do at an empty one.
func (c *cycle) files(empty bool) (map[string][]string, error) {
	byKind := map[string][]string{}
	err := filepath.WalkDir(c.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if empty || info.Size() > 0 {
			relative, _ := filepath.Rel(c.data, path)
			byKind[kindOf(relative)] = append(byKind[kindOf(relative)], path)
		}
		return nil
	})
	return byKind, err
}

// harm is what was done to a file.
type harm struct {
	kind string // of file
	way  string
}

// settle ends a victim at any moment, often more than one: some files are only there after an orderly end, or a start.
func (c *cycle) settle() error {
	for range 1 + c.IntN(2) {
		if err := c.moment(); err != nil {
			return err
		}
		if c.IntN(2) == 0 {
			c.victim.Signal(syscall.SIGTERM)
			c.victim.Signal(syscall.SIGCONT) // a pause may be the fault that this is a part of
			if !c.victim.Ends(c.patience) {
				c.hang("it does not end after SIGTERM")
				return errEnded
			}
		}
		if err := c.killVictim(); err != nil {
			return err
		}
	}
	return nil
}

// damage ends the victim and does harm to a file: the kind is drawn first.
func (c *cycle) damage(way string, do func(path string, size int64) (string, error), during func() error) error {
	if err := c.settle(); err != nil {
		return err
	}
	byKind, err := c.files(way == "remove")
	if err != nil {
		return err
	}
	if len(byKind) == 0 {
		return errEnded
	}
	kinds := slices.Sorted(maps.Keys(byKind))
	kind := kinds[c.IntN(len(kinds))]
	path := byKind[kind][c.IntN(len(byKind[kind]))]
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	// A file of which a tail is damaged may have lost commits; the result must be right all the same.
	clear(c.floor)
	c.again = true
	what, err := do(path, info.Size())
	if err != nil {
		return err
	}
	relative, _ := filepath.Rel(c.data, path)
	c.harm = harm{kind, way}
	fmt.Fprintf(c.echo, "damage: %s: %s\n", relative, what)
	c.damages = append(c.damages, relative+": "+what)
	if len(c.ordeal) == 1 {
		if err := c.examineHarm(); err != nil {
			return err
		}
	}
	return during()
}

// used is how much of a file holds something: files that are written ahead have a long tail of nothing.
func used(path string, size int64) (int64, error) {
	data, err := os.ReadFile(path)
	if n := int64(len(bytes.TrimRight(data, "\x00"))); n > 0 {
		size = n
	}
	return size, err
}

func (c *cycle) flipBits(during func() error) error {
	return c.damage("flip", func(path string, size int64) (string, error) {
		n, err := used(path, size)
		if err != nil {
			return "", err
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return "", err
		}
		defer f.Close()
		var places []int64
		for range 1 + c.IntN(4) {
			at, one := c.Int64N(n), make([]byte, 1)
			if _, err := f.ReadAt(one, at); err != nil {
				return "", err
			}
			one[0] ^= 1 << c.IntN(8)
			if _, err := f.WriteAt(one, at); err != nil {
				return "", err
			}
			places = append(places, at)
		}
		return fmt.Sprintf("bits flipped at %v of %d", places, size), nil
	}, during)
}

func (c *cycle) truncateFile(during func() error) error {
	return c.damage("truncate", func(path string, size int64) (string, error) {
		n, err := used(path, size)
		if err != nil {
			return "", err
		}
		if c.IntN(8) == 0 {
			n = size
		}
		to := c.Int64N(n)
		return fmt.Sprintf("cut to %d of %d", to, size), os.Truncate(path, to)
	}, during)
}

func (c *cycle) zeroPiece(during func() error) error {
	return c.damage("zero", func(path string, size int64) (string, error) {
		used, err := used(path, size)
		if err != nil {
			return "", err
		}
		from := c.Int64N(used)
		n := min(1+c.Int64N(4096), size-from)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return "", err
		}
		defer f.Close()
		_, err = f.WriteAt(make([]byte, n), from)
		return fmt.Sprintf("zeros from %d to %d of %d", from, from+n, size), err
	}, during)
}

func (c *cycle) removeFile(during func() error) error {
	return c.damage("remove", func(path string, size int64) (string, error) {
		return fmt.Sprintf("removed, it had %d bytes", size), os.Remove(path)
	}, during)
}
