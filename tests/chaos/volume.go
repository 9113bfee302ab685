//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"
)

// volumeKind is a file system for a cycle alone.
type volumeKind int

const (
	noVolume     volumeKind = iota
	serverVolume            // a small one, for the data of pipeline and server
	smallVolume             // a small one, for the data of the pipeline
	diskVolume              // ext4 on a loop device
)

const (
	smallSize = 96 << 20
	diskSize  = 192 << 20
)

// volume is a mounted file system. It is mounted at the directory run of a cycle.
type volume struct {
	at    string
	image string // "" for one in memory
}

func mountVolume(kind volumeKind, root string) (*volume, error) {
	v := &volume{at: filepath.Join(root, "run")}
	if err := os.MkdirAll(v.at, 0o700); err != nil {
		return nil, err
	}
	if kind != diskVolume {
		return v, v.tool("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", smallSize), "none", v.at)
	}
	v.image = filepath.Join(root, "image")
	if err := os.WriteFile(v.image, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(v.image, diskSize); err != nil {
		return nil, err
	}
	if err := v.tool("mkfs.ext4", "-q", "-F", v.image); err != nil {
		return nil, err
	}
	return v, v.mount()
}

func (v *volume) mount() error { return v.tool("mount", "-o", "loop", v.image, v.at) }

// unmount tries some times: a process that another cycle starts has our files for a moment, until it becomes another
// program.
func (v *volume) unmount() (err error) {
	for range unmountTries {
		if err = v.tool("umount", v.at); err == nil {
			return nil
		}
		time.Sleep(unmountPause)
	}
	return err
}

const (
	unmountTries = 50
	unmountPause = 20 * time.Millisecond
)

// remount changes whether it may be written to.
func (v *volume) remount(option string) error { return v.tool("mount", "-o", "remount,"+option, v.at) }

func (v *volume) tool(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}

// goDown is EXT4_IOC_SHUTDOWN; noLogFlush has it lose also what is in the journal and not on the disk.
const (
	goDown     = 0x8004587D
	noLogFlush = 2
)

// cutPower has the file system forget what it had not written, and refuse everything from now on.
func (v *volume) cutPower() error {
	d, err := os.Open(v.at)
	if err != nil {
		return err
	}
	defer d.Close()
	flag := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, d.Fd(), goDown, uintptr(unsafe.Pointer(&flag))); errno != 0 {
		return fmt.Errorf("shut %s down: %w", v.at, errno)
	}
	return nil
}

// powerUp mounts it again, as after a start of the machine. Nobody may use it.
func (v *volume) powerUp() error { return errors.Join(v.unmount(), v.mount()) }

func (v *volume) filler() string { return filepath.Join(v.at, "filler") }

// fill fills it up, but for a little that is left at random.
func (v *volume) fill(random *rand.Rand) error {
	f, err := os.Create(v.filler())
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for size := len(block); size >= 512; {
		switch _, err = f.Write(block[:size]); {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2
		case err != nil:
			return errors.Join(err, f.Close())
		}
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && random.IntN(2) == 0 {
		err = f.Truncate(max(0, at-random.Int64N(256<<10)))
	}
	return errors.Join(err, f.Close())
}

// free takes it back; a fault in the midst of another may have done so.
func (v *volume) free() error {
	if err := os.Remove(v.filler()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// canMount says why volumes of a kind cannot be had, or "".
func canMount(kind volumeKind, dir string) string {
	if kind == noVolume {
		return ""
	}
	root, err := os.MkdirTemp(dir, "mount")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(root)
	v, err := mountVolume(kind, root)
	if err != nil {
		return err.Error()
	}
	if kind == diskVolume {
		if err := v.cutPower(); err != nil {
			return errors.Join(err, v.unmount()).Error()
		}
	}
	if err := v.unmount(); err != nil {
		return err.Error()
	}
	return ""
}
