//go:build linux

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func damageFaults() []fault {
	may := needs{refusal: true}
	return []fault{
		{"flip", "some bits of a file in the data directory are flipped while nothing runs", may, (*cycle).flipBits},
		{"truncate", "a file in the data directory is cut off while nothing runs", may, (*cycle).truncateFile},
		{"zero", "a piece of a file in the data directory is zeros", may, (*cycle).zeroPiece},
		{"remove", "a file in the data directory is gone", may, (*cycle).removeFile},
	}
}

// fileClass is what a file is for; damage goes to each class as often.
func fileClass(path string) string {
	base := filepath.Base(path)
	switch ext := filepath.Ext(base); {
	case strings.HasPrefix(base, "MANIFEST"), strings.HasPrefix(base, "KEYREGISTRY"), strings.HasPrefix(base, "DISCARD"):
		return base
	case ext == ".sst", ext == ".vlog", ext == ".mem", ext == ".blk", ext == ".idx", ext == ".db", ext == ".inf", ext == ".sum":
		return ext
	}
	return base
}

// files are those of the data directory that hold something, by class.
func (c *cycle) files() (map[string][]string, error) {
	byClass := map[string][]string{}
	err := filepath.WalkDir(c.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 {
			byClass[fileClass(path)] = append(byClass[fileClass(path)], path)
		}
		return err
	})
	return byClass, err
}

// damage kills the victim and does harm to a file.
func (c *cycle) damage(harm func(path string, size int64) (string, error), during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	if err := c.killVictim(); err != nil {
		return err
	}
	byClass, err := c.files()
	if err != nil {
		return err
	}
	var classes []string
	for class := range byClass {
		classes = append(classes, class)
	}
	if len(classes) == 0 {
		return errEnded
	}
	slices.Sort(classes)
	class := classes[c.IntN(len(classes))]
	path := byClass[class][c.IntN(len(byClass[class]))]
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	// A file of which a tail is damaged may have lost commits; the result must be right all the same.
	clear(c.floor)
	c.again = true
	what, err := harm(path, info.Size())
	if err != nil {
		return err
	}
	relative, _ := filepath.Rel(c.data, path)
	c.harmed = class
	fmt.Fprintf(c.echo, "damage: %s: %s\n", relative, what)
	c.damages = append(c.damages, relative+": "+what)
	return during()
}

func (c *cycle) flipBits(during func() error) error {
	return c.damage(func(path string, size int64) (string, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		used := int64(len(strings.TrimRight(string(data), "\x00"))) // files that are written ahead have a long tail of nothing
		if used == 0 {
			used = size
		}
		var places []int64
		for range 1 + c.IntN(4) {
			at := c.Int64N(used)
			data[at] ^= 1 << c.IntN(8)
			places = append(places, at)
		}
		return fmt.Sprintf("bits flipped at %v of %d", places, size), os.WriteFile(path, data, 0o600)
	}, during)
}

func (c *cycle) truncateFile(during func() error) error {
	return c.damage(func(path string, size int64) (string, error) {
		to := c.Int64N(size)
		return fmt.Sprintf("cut to %d of %d", to, size), os.Truncate(path, to)
	}, during)
}

func (c *cycle) zeroPiece(during func() error) error {
	return c.damage(func(path string, size int64) (string, error) {
		from := c.Int64N(size)
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
	return c.damage(func(path string, size int64) (string, error) {
		return fmt.Sprintf("removed, it had %d bytes", size), os.Remove(path)
	}, during)
}
