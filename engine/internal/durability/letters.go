package durability

import (
	"encoding/binary"
	"errors"
	"math"

	"penstock/engine/internal/blocks"
	"penstock/engine/internal/ports"
)

// A message whose letter is lost is lost: no position and no count tells that it
// was there. The server says nothing either when it finds a damaged record, and
// goes on with what is before it. So the store knows how far the letters reach,
// and their files are read before the server gets them.

// lettersNote holds the sequence up to which letters were kept. An instance notes
// it before the commit that passes the messages; where files are synced at
// intervals the checkpointer does, since no note may outlive a letter.
//
// There is one queue, and still each instance has the note in its own corner of
// the store: instances note side by side, and a note that they shared would go
// down when a slower one writes a smaller sequence last. Each corner's only
// grows. Who reads it takes the largest of all (engine/letters_check.go, package
// doctor), so a note of the whole pipeline may stand in any corner.
const lettersNote = "letters"

// Lost is set in it when the files were found gone: the server, which
// knows the sequence all the same, has made new ones since.
const Lost = 1 << 63

// NoteReader is what has notes: the corner of an instance in the store.
type NoteReader interface {
	Note(name string) ([]byte, bool, error)
}

// Letters reads the note: 0 where there is none.
func Letters(of NoteReader) (uint64, error) {
	note, found, err := of.Note(lettersNote)
	if err != nil || !found || len(note) != 8 {
		return 0, err
	}
	return binary.LittleEndian.Uint64(note), nil
}

func encode(reached uint64) []byte { return binary.LittleEndian.AppendUint64(nil, reached) }

// KeepLetters notes that letters are kept up to a sequence. A cut of the power may take the note until the next
// checkpoint.
func KeepLetters(store ports.Store, reached uint64) error {
	return store.PutNoteUnsynced(lettersNote, encode(reached))
}

// SetLetters is KeepLetters, synced.
func SetLetters(store ports.Store, reached uint64) error {
	return store.PutNote(lettersNote, encode(reached))
}

// LetterFiles reads the files of the letters: behind end there are none any
// more, whatever the server's index says. Damages that are mended at a start, or
// are what a death in a write leaves, are left out.
func LetterFiles(s *blocks.Stream) (end uint64, damages []blocks.Damage, err error) {
	last, torn := uint64(0), s.Blockless()
	all, err := s.Scan(func(r blocks.Record) error {
		last = max(last, r.Sequence)
		return nil
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return math.MaxUint64, nil, nil
	}
	for _, d := range all {
		torn = torn || d.Torn
		if d.Bit < 0 && !d.Torn {
			damages = append(damages, d)
		}
	}
	if !torn {
		last = math.MaxUint64
	}
	return last, damages, err
}
