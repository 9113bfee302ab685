package entry

import "encoding/binary"

// The first byte of a Badger key says what it holds. Names cannot contain a zero
// byte, so it ends them and the user's key follows as it is.
const (
	SpaceCheckpoint   byte = 'c' // c name              the checkpoint of an instance
	SpaceKey          byte = 'k' // k name 0 key        the state of one key
	spaceNote         byte = 'n' // n note              a note of the store
	SpaceJournal      byte = 'j' // j name 0 address    a block of an instance's journal
	SpaceInstanceNote byte = 'o' // o name 0 note       a note of an instance
	SpacePiece        byte = 'p' // p generation index  a piece of a large value
	SpaceOwner        byte = 'q' // q generation        whose pieces these are
)

// CheckpointKey is the key of an instance's checkpoint.
func CheckpointKey(instance string) []byte {
	return append([]byte{SpaceCheckpoint}, instance...)
}

// OwnedKey is a key of an instance, in one of the spaces.
func OwnedKey[K string | []byte](space byte, instance string, key K) []byte {
	b := make([]byte, 0, 2+len(instance)+len(key))
	b = append(b, space)
	b = append(b, instance...)
	b = append(b, 0)
	return append(b, key...)
}

// NoteKey is the key of a note of the store.
func NoteKey(note string) []byte {
	return append([]byte{spaceNote}, note...)
}

// PieceKey is the key of a piece of a large value.
func PieceKey(generation uint64, index uint32) []byte {
	return binary.BigEndian.AppendUint32(GenerationKey(SpacePiece, generation), index)
}

// GenerationKey is what the keys of a generation begin with, and the key of its owner.
func GenerationKey(space byte, generation uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{space}, generation)
}

// GenerationOf reads the generation out of a piece's or an owner's key.
func GenerationOf(key []byte) (uint64, bool) {
	if len(key) < 9 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:9]), true
}
