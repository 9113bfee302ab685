package checkpoint

import "encoding/binary"

// The first byte of a Badger key says what it holds. Names cannot contain a zero
// byte, so it ends them and the user's key follows as it is.
const (
	spaceCheckpoint   byte = 'c' // c name              the checkpoint of an instance
	spaceKey          byte = 'k' // k name 0 key        the state of one key
	spaceNote         byte = 'n' // n note              a note of the store
	spaceJournal      byte = 'j' // j name 0 address    a block of an instance's journal
	spaceInstanceNote byte = 'o' // o name 0 note       a note of an instance
	spacePiece        byte = 'p' // p generation index  a piece of a large value
	spaceOwner        byte = 'q' // q generation        whose pieces these are
)

const (
	kindNameCheckpoint = "checkpoint"
	kindNameKey        = "key"
	kindNameNote       = "note"
)

func checkpointKey(instance string) []byte {
	return append([]byte{spaceCheckpoint}, instance...)
}

func ownedKey[K string | []byte](space byte, instance string, key K) []byte {
	b := make([]byte, 0, 2+len(instance)+len(key))
	b = append(b, space)
	b = append(b, instance...)
	b = append(b, 0)
	return append(b, key...)
}

func blockKey(instance string, at address) []byte {
	b := binary.BigEndian.AppendUint32(ownedKey(spaceJournal, instance, ""), at.volume)
	return binary.BigEndian.AppendUint32(b, at.index)
}

// blockOf reads the instance and the address out of the key of a journal's block.
func blockOf(key []byte) (instance string, at address, ok bool) {
	n := len(key)
	if n < 10 || key[n-9] != 0 {
		return "", address{}, false
	}
	at = address{volume: binary.BigEndian.Uint32(key[n-8:]), index: binary.BigEndian.Uint32(key[n-4:])}
	return string(key[1 : n-9]), at, true
}

func noteKey(note string) []byte {
	return append([]byte{spaceNote}, note...)
}

func pieceKey(generation uint64, index uint32) []byte {
	return binary.BigEndian.AppendUint32(generationKey(spacePiece, generation), index)
}

func generationKey(space byte, generation uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{space}, generation)
}

// generationOf reads the generation out of a piece's or an owner's key.
func generationOf(key []byte) (uint64, bool) {
	if len(key) < 9 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:9]), true
}

func validName(name string) bool {
	if len(name) < 1 || len(name) > 100 {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}
