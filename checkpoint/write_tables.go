package checkpoint

import "penstock/checkpoint/internal/mend"

// noteTables runs before what may need every table there is: the checkpoints of a Write, and the
// end of blocks whose keys stand there.
func (s *Store) noteTables() error {
	newest := uint64(0)
	for _, table := range s.db.Tables() {
		newest = max(newest, table.ID)
	}
	if newest <= s.newestTable {
		return nil
	}
	if err := mend.NoteTable(s.dir, newest); err != nil {
		return err
	}
	s.newestTable = newest
	return nil
}
