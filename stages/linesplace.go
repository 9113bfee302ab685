package stages

import (
	"fmt"

	"penstock/engine"
	"penstock/engine/remedy"
)

// check refuses a place that no source of lines can have written: it comes from another build, or from elsewhere.
func (s *LinesState) check() error {
	list, file := s.List, s.File
	for _, rule := range []struct {
		holds bool
		what  string
	}{
		{s.Offset >= 0, fmt.Sprintf("it is at byte %d of a file", s.Offset)},
		{s.Passed >= 0 && s.Passed <= s.Offset, fmt.Sprintf("it is %d bytes into a line, and at byte %d of the file", s.Passed, s.Offset)},
		{list.Count >= 0, fmt.Sprintf("it knows of %d files", list.Count)},
		{list.Done >= 0 && list.Done <= list.Count, fmt.Sprintf("%d of %d files are read", list.Done, list.Count)},
		{len(list.Each) <= list.Done*statBytes, fmt.Sprintf("it knows %d bytes of %d files that are read", len(list.Each), list.Done)},
		{file.Head.within(s.Offset), fmt.Sprintf("it knows bytes %d to %d, and is at byte %d", file.Head.From, file.Head.To, s.Offset)},
		{file.Tail.within(s.Offset), fmt.Sprintf("it knows bytes %d to %d, and is at byte %d", file.Tail.From, file.Tail.To, s.Offset)},
	} {
		if !rule.holds {
			return engine.Fatal(remedy.Errorf("this version cannot have written the place in the files: %s (file %q): "+
				"continue with the version that wrote it, or start over with %v", rule.what, s.path(), remedy.Fresh))
		}
	}
	return nil
}

func (s span) within(offset int64) bool { return s.From >= 0 && s.From <= s.To && s.To <= offset }
