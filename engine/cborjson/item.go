package cborjson

import "encoding/binary"

// item is the head of a data item of well-formed CBOR.
type item struct {
	major byte
	info  byte
	n     uint64 // value, length, or tag number
	body  []byte // what follows the head
}

func read(data []byte) item {
	it := item{major: data[0] >> 5, info: data[0] & 0x1f, body: data[1:]}
	switch {
	case it.info < 24:
		it.n = uint64(it.info)
	case it.info == 24:
		it.n, it.body = uint64(data[1]), data[2:]
	case it.info == 25:
		it.n, it.body = uint64(binary.BigEndian.Uint16(data[1:])), data[3:]
	case it.info == 26:
		it.n, it.body = uint64(binary.BigEndian.Uint32(data[1:])), data[5:]
	default:
		it.n, it.body = binary.BigEndian.Uint64(data[1:]), data[9:]
	}
	return it
}

// content is a text or bytes.
func (it item) content() []byte { return it.body[:it.n] }

func (it item) isInteger() bool { return it.major == majorUint || it.major == majorNegInt }

// document is well-formed CBOR. An item is named by the rest of the document
// that begins with it.
type document struct {
	ends map[int]int // what is left before and after each array, map and tag
}

// index finds the ends in one pass: what is nested deep is not gone through at
// each level.
func index(data []byte) document {
	d := document{ends: map[int]int{}}
	if len(data) > 0 {
		d.find(data)
	}
	return d
}

func (d document) find(at []byte) (rest []byte) {
	it := read(at)
	rest = it.body
	n := uint64(0)
	switch it.major {
	case majorBytes, majorText:
		return rest[it.n:]
	case majorArray:
		n = it.n
	case majorMap:
		n = 2 * it.n
	case majorTag:
		n = 1
	default:
		return rest
	}
	if n == 0 {
		return rest
	}
	for range n {
		rest = d.find(rest)
	}
	d.ends[len(at)] = len(rest)
	return rest
}

func (d document) skip(at []byte) (rest []byte) {
	it := read(at)
	if it.major == majorBytes || it.major == majorText {
		return it.body[it.n:]
	}
	if end, isHere := d.ends[len(at)]; isHere {
		return at[len(at)-end:]
	}
	return it.body // of what holds nothing
}

// bytes are those of one item.
func (d document) bytes(at []byte) []byte { return at[:len(at)-len(d.skip(at))] }

// entry is an entry of a map.
type entry struct{ key, value []byte }

func (d document) entries(it item) []entry {
	var list []entry
	rest := it.body
	for range it.n {
		e := entry{key: rest}
		e.value = d.skip(rest)
		rest = d.skip(e.value)
		list = append(list, e)
	}
	return list
}

func (d document) elements(it item) [][]byte {
	var list [][]byte
	rest := it.body
	for range it.n {
		list = append(list, rest)
		rest = d.skip(rest)
	}
	return list
}
