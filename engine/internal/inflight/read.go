package inflight

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"penstock/internal/format"
	"penstock/internal/nofollow"
)

// Last is what the process before left.
type Last struct {
	// Clean: it closed the file, or there was none.
	Clean bool
	// Calls are those that were under way when it ended otherwise, by the name of the instance.
	Calls map[string]Call
	// Left are the last calls of the other instances: they had returned, and what they started may not have.
	Left map[string]Call
	// Opening is the file's random number: every process that opens it has another.
	Opening uint64
	// OtherBoot: it ran before the machine was started anew, or on another machine. See the package's words on what
	// the calls are worth then.
	OtherBoot bool
}

// Read tells what the last process left, and changes nothing. It must not be called while a [File] of the same path is
// in use: it would report the calls of the living. The error is an [ErrUnreadable] if the file makes no sense.
func Read(path string) (Last, error) {
	data, err := readAll(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Last{Clean: true}, nil
	}
	if err != nil {
		return Last{}, fmt.Errorf("read the in-flight file: %w", err)
	}
	h, err := decode(data)
	if errors.Is(err, format.ErrNewer) {
		return Last{}, fmt.Errorf("read the in-flight file %s: %w", path, err)
	}
	if err != nil {
		return Last{}, fmt.Errorf("%w: %s: %w; remove it: the only loss is which messages were being handled if the last process died",
			ErrUnreadable, path, err)
	}
	boot := bootHash()
	last := Last{
		Clean:     binary.LittleEndian.Uint64(data[stateAt:]) == h.cleanMark(),
		Opening:   h.generation,
		OtherBoot: h.boot != 0 && boot != 0 && h.boot != boot,
	}
	if last.Clean {
		return last, nil
	}
	last.Calls, last.Left = map[string]Call{}, map[string]Call{}
	slots := data[h.slotsAt():]
	for i, name := range h.instances {
		call, left, found := decodeSlot(slots[i*slotSize:], h.seed(i))
		switch {
		case !found:
		case left:
			last.Left[name] = call
		default:
			last.Calls[name] = call
		}
	}
	return last, nil
}

// maxSize is more than any file of this package has.
const maxSize = 2*page + maxInstances*(1+maxName+slotSize)

func readAll(path string) ([]byte, error) {
	file, err := nofollow.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSize {
		return nil, fmt.Errorf("%w: %s is too large for an in-flight file (%d bytes); remove it", ErrUnreadable, path, info.Size())
	}
	return io.ReadAll(file)
}
