package frame

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"sync"
)

// MinKey is how long a key must be, in bytes.
const MinKey = 16

// What can be wrong with the signature of a frame that is sound otherwise.
var (
	// ErrUnsigned: the frame has no signature.
	ErrUnsigned = errors.New("the frame is not authenticated")
	// ErrOtherKey: it was signed with a key that is not at hand.
	ErrOtherKey = errors.New("the frame is authenticated with another key")
	// ErrForged: who signed it did not have the key, or it stands at a place that it was not written for.
	ErrForged = errors.New("the frame is forged, or copied from another place")
)

const (
	keyIDSize     = 4
	tagSize       = 16
	signatureSize = keyIDSize + tagSize
)

// Keys authenticate frames: a signed frame was written by a process that has one of them, for one place and no other.
// Safe for concurrent use.
type Keys struct{ list []*key }

type key struct {
	id   [keyIDSize]byte
	macs sync.Pool // of hash.Hash
}

// NewKeys takes at least one key of MinKey bytes or more. The first one signs, all of them verify: so keys are changed
// by putting a new one in front.
func NewKeys(secrets ...[]byte) (*Keys, error) {
	if len(secrets) == 0 {
		return nil, errors.New("frame keys: no key is given")
	}
	keys := &Keys{}
	for n, secret := range secrets {
		if len(secret) < MinKey {
			return nil, fmt.Errorf("frame keys: key %d has %d bytes: it needs %d or more", n+1, len(secret), MinKey)
		}
		secret = append([]byte(nil), secret...)
		k := &key{}
		k.macs.New = func() any { return hmac.New(sha256.New, secret) }
		name := k.mac("name", nil)
		copy(k.id[:], name[:])
		keys.list = append(keys.list, k)
	}
	return keys, nil
}

// KeysOf is NewKeys of the FrameKeys of a configuration: nil for none.
func KeysOf(secrets [][]byte) (*Keys, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	keys, err := NewKeys(secrets...)
	if err != nil {
		return nil, fmt.Errorf("engine: Config.FrameKeys: %w", err)
	}
	return keys, nil
}

// ID names the key that signs, and tells nothing of it.
func (k *Keys) ID() string { return hex.EncodeToString(k.list[0].id[:]) }

// Sign appends to dst the frame with a signature for one place. A reader that names another place does not accept it.
func (k *Keys) Sign(dst, data []byte, place string) ([]byte, error) {
	if _, _, err := open(data); err != nil {
		return dst, fmt.Errorf("sign: %w", err)
	}
	start := len(dst)
	b := append(dst, data[:len(data)-trailerSize]...)
	b[start+versionAt] = max(b[start+versionAt], versionSigned)
	b[start+flagsAt] |= flagSigned
	b = append(b, k.list[0].id[:]...)
	tag := k.list[0].mac(place, b[start:])
	b = append(b, tag[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// Verify checks the signature of a frame that Decode accepts. Its errors wrap ErrUnsigned, ErrOtherKey or ErrForged.
func (k *Keys) Verify(data []byte, place string) error {
	id, found := SignedWith(data)
	if !found {
		return ErrUnsigned
	}
	for _, key := range k.list {
		if hex.EncodeToString(key.id[:]) != id {
			continue
		}
		end := len(data) - trailerSize - tagSize
		if tag := key.mac(place, data[:end]); !hmac.Equal(tag[:], data[end:end+tagSize]) {
			return ErrForged
		}
		return nil
	}
	return fmt.Errorf("%w (%s)", ErrOtherKey, id)
}

// SignedWith names the key that a frame is signed with, and checks nothing.
func SignedWith(data []byte) (id string, isSigned bool) {
	if len(data) < headerSize+signatureSize+trailerSize || data[versionAt] < versionSigned || data[flagsAt]&flagSigned == 0 {
		return "", false
	}
	end := len(data) - trailerSize - tagSize
	return hex.EncodeToString(data[end-keyIDSize : end]), true
}

// mac is the tag of some bytes at a place, whose length goes before them.
func (k *key) mac(place string, data []byte) (tag [tagSize]byte) {
	h := k.macs.Get().(hash.Hash)
	defer k.macs.Put(h)
	h.Reset()
	var sum [sha256.Size]byte
	head := binary.LittleEndian.AppendUint64(sum[:0], uint64(len(place)))
	h.Write(head)
	h.Write([]byte(place))
	h.Write(data)
	copy(tag[:], h.Sum(sum[:0]))
	return tag
}
