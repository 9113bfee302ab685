package checkpoint

import (
	"os"
	"testing"

	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		writeUntilKilled(dir)
	}
	if dir := os.Getenv(memoryDirEnv); dir != "" {
		os.Exit(reportMemory(dir))
	}
	leak.Main(m, leak.Refused()...)
}

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func write(t testing.TB, updates ...Update) {
	t.Helper()
	if err := updates[0].Instance.store.Write(updates); err != nil {
		t.Fatal(err)
	}
}

func closeStore(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
