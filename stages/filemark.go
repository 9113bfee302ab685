package stages

import (
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"io/fs"
)

// fileMark is what the place in a file knows of the file, to tell it from
// another one of the same name.
//
// A file that has the same device, inode, size and time is the same one when
// its first and its last bytes before the place are. In any other case all
// bytes before the place are read again and compared: a file that grew, was
// touched, or was copied back is the same; one that was rewritten is not.
type fileMark struct {
	Known    bool   `json:"known,omitempty"`
	Device   uint64 `json:"device,omitempty"`
	Inode    uint64 `json:"inode,omitempty"`
	Size     int64  `json:"size,omitempty"`     // of the file
	Modified int64  `json:"modified,omitempty"` // Unix time in nanoseconds
	Format   string `json:"format,omitempty"`   // of compression; "": none
	Read     uint64 `json:"read,omitempty"`     // checksum of all content before the place
	Head     span   `json:"head"`
	Tail     span   `json:"tail"`
}

// span is a checksum of a part of the content.
type span struct {
	From int64  `json:"from,omitempty"`
	To   int64  `json:"to,omitempty"`
	Sum  uint64 `json:"sum,omitempty"`
}

// spanBytes is how long the first and the last part are at most.
const spanBytes = 4 << 10

var sums = crc64.MakeTable(crc64.ECMA)

func sumOf(data []byte) uint64 { return crc64.Checksum(data, sums) }

// see notes what the system says of the file.
func (m *fileMark) see(info fs.FileInfo) {
	m.Known = true
	m.Device, m.Inode = fileID(info)
	m.Size, m.Modified = info.Size(), info.ModTime().UnixNano()
}

// sameFile says that the system calls it the same file.
func (m *fileMark) sameFile(info fs.FileInfo) bool {
	device, inode := fileID(info)
	return m.Device == device && m.Inode == inode
}

// untouched says that the file has not been written to since it was seen.
func (m *fileMark) untouched(info fs.FileInfo) bool {
	return m.sameFile(info) && m.Size == info.Size() && m.Modified == info.ModTime().UnixNano()
}

// pass notes content that is read, which begins at an offset.
func (m *fileMark) pass(offset int64, data []byte) {
	if len(data) == 0 {
		return
	}
	m.Read = crc64.Update(m.Read, sums, data)
	end := offset + int64(len(data))
	if offset == 0 {
		head := data[:min(len(data), spanBytes)]
		m.Head = span{0, int64(len(head)), sumOf(head)}
	}
	tail := data[max(0, len(data)-spanBytes):]
	m.Tail = span{end - int64(len(tail)), end, sumOf(tail)}
}

// holdsEnds says that the first and the last bytes before the place are what was
// read.
func (m *fileMark) holdsEnds(c io.ReaderAt) (bool, error) {
	for _, s := range []span{m.Head, m.Tail} {
		held := crc64.New(sums)
		n, err := io.Copy(held, io.NewSectionReader(c, s.From, s.To-s.From))
		if err != nil {
			return false, err
		}
		if n < s.To-s.From || held.Sum64() != s.Sum {
			return false, nil
		}
	}
	return true, nil
}

// holdsAll says that all bytes before the place are what was read.
func (m *fileMark) holdsAll(c io.ReaderAt, offset int64) (bool, error) {
	read := fileMark{}
	n, _, err := read.passAll(c, offset)
	return err == nil && n == offset && read.Read == m.Read, err
}

// passAll notes the content up to an offset, or its end, and returns how many
// bytes and newlines that is.
func (m *fileMark) passAll(c io.ReaderAt, offset int64) (n int64, lines uint64, err error) {
	buffer := make([]byte, callBytes)
	for n < offset {
		piece := buffer[:min(int64(len(buffer)), offset-n)]
		read, err := c.ReadAt(piece, n)
		m.pass(n, piece[:read])
		lines += newlines(piece[:read])
		n += int64(read)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return n, lines, err
		}
	}
	return n, lines, nil
}

// changed says in which way the file is another one than it was, "" if it is
// not. Thorough is for a new life of the source, in which anything may have
// happened since.
func (m *fileMark) changed(c *content, offset int64, thorough bool) (string, error) {
	if offset == 0 {
		return "", nil
	}
	if c.format() != m.Format {
		return "it was replaced: it was " + formatName(m.Format) + " and is " + formatName(c.format()), nil
	}
	if c.unpacked == nil && c.info.Size() < offset {
		return fmt.Sprintf("it has %d bytes and %d were read before: it was replaced or cut", c.info.Size(), offset), nil
	}
	var same bool
	var err error
	switch {
	case c.unpacked == nil && m.untouched(c.info), c.unpacked == nil && !thorough && m.sameFile(c.info):
		same, err = m.holdsEnds(c)
	default:
		same, err = m.holdsAll(c, offset)
	}
	if same || err != nil {
		return "", err
	}
	return fmt.Sprintf("it was replaced or changed: the first %d bytes are not what was read of it", offset), nil
}
