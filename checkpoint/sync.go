package checkpoint

import "fmt"

// sync makes durable whatever was written before the call.
func (s *Store) sync() error {
	if err := s.db.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := s.syncer.Rest(s.reserve.Prepared()); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := s.reserve.Prepare(); err != nil {
		s.logger.Debug("cannot reserve disk space for the next log yet", "store", s.dir, "error", err)
	}
	return nil
}
