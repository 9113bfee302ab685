package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"penstock/checkpoint"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/inflight"
	"penstock/internal/argsfile"
	"penstock/internal/counted"
	"penstock/internal/format"
	"penstock/internal/nofollow"
)

// notes are the small files.
func (l *inspection) notes() error {
	name, err := nofollow.ReadFile(l.dir.StartingOver())
	if err == nil {
		l.note("directory", "a fresh start of pipeline %s was interrupted: the next run finishes it and deletes what is there", name)
	} else if datadir.Exists(l.dir.StartingOver()) {
		return err
	}
	if err := l.dir.Describe(); err != nil {
		return err
	}
	if l.dir.Damaged != nil {
		l.wrong("directory", "%s is damaged", filepath.Base(l.dir.DescriptorFile()))
		l.fixes = append(l.fixes, fix{
			text:  "remove the file that says where the channels are: the next run writes it again",
			apply: func(path string) error { return os.Remove(datadir.At(path).DescriptorFile()) },
		})
	}
	if err := l.arguments(); err != nil {
		return err
	}
	left, err := nofollow.Glob(l.dir.Path, "*.new")
	if err != nil {
		return err
	}
	for _, path := range left {
		l.note("directory", "%s is left from an interrupted write; it is not used", filepath.Base(path))
	}
	return nil
}

// arguments is the file that the command keeps the arguments of the run in.
func (l *inspection) arguments() error {
	data, err := nofollow.ReadFile(l.dir.Arguments())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the arguments of the run: %w", err)
	}
	if _, err = argsfile.Decode(data); errors.Is(err, format.ErrNewer) {
		return fmt.Errorf("%s: %w", l.dir.Path, err)
	}
	if err == nil {
		return nil
	}
	l.wrong("directory", "%s is damaged: a start cannot check that it has the arguments of the interrupted run", argsfile.Name)
	l.fixes = append(l.fixes, fix{
		text:  "remove the file of the arguments: the next start is not checked, so give it those of the interrupted run",
		apply: func(path string) error { return os.Remove(datadir.At(path).Arguments()) },
	})
	return nil
}

// inflight is the file of what was at work.
func (l *inspection) inflight() error {
	last, err := inflight.Read(l.dir.Inflight())
	switch {
	case errors.Is(err, inflight.ErrUnreadable):
		l.wrong("in-flight file", "it is damaged: it is unknown which messages were being handled when the last process died")
		l.fixes = append(l.fixes, fix{
			text:  "remove the in-flight file: a message that kills the process may get one attempt more than allowed",
			apply: func(path string) error { return os.RemoveAll(datadir.At(path).Inflight()) },
		})
		return nil
	case err != nil:
		return err
	case !last.Clean && len(last.Calls)+len(last.Left) == 0:
		l.note("in-flight file", "the last process died between calls: no message is suspected of that")
	case !last.Clean:
		l.note("in-flight file", "the last process died during %s: the next run begins in quarantine mode, one suspected message at a time", counted.Things(len(last.Calls)+len(last.Left), "call"))
	}
	l.check("in-flight file")
	return nil
}

// tables are the files of the checkpoints.
func (l *inspection) tables() error {
	if !datadir.Exists(l.dir.Checkpoints()) {
		l.noStore = true
		if datadir.Exists(l.dir.StartingOver()) {
			return nil // it is being deleted
		}
		l.wrong("checkpoints", "there are none: the directory %s is missing", l.dir.Checkpoints())
		l.resetStore()
		return nil
	}
	count, damages := checkpoint.Check(l.dir.Checkpoints())
	if err := l.damagedTables(damages); err != nil {
		return err
	}
	if len(damages) > 0 {
		l.noStore = true
		l.correctStore()
	}
	l.check("checkpoints: %s", counted.Things(count, "table"))
	return nil
}

// damagedTables tells of damage. What the operating system refuses is none: then nothing is known, and nothing to mend.
func (l *inspection) damagedTables(damages []error) error {
	for _, err := range damages {
		if checkpoint.IsRefusal(err) {
			return fmt.Errorf("look at the checkpoints: %w", err)
		}
		l.wrong("checkpoints", "%v", err)
	}
	return nil
}

// correctStore flips back bits that the checksums tell, or else makes new
// checkpoints.
func (l *inspection) correctStore() {
	list, found := checkpoint.Corrections(l.dir.Checkpoints())
	if !found || len(list) == 0 {
		l.resetStore()
		return
	}
	l.fixes = append(l.fixes, fix{
		text:  fmt.Sprintf("correct %s in the tables of the checkpoints, by their checksums: %v", counted.Things(len(list), "flipped bit"), list),
		apply: func(path string) error { return checkpoint.Correct(datadir.At(path).Checkpoints(), list) },
	})
}

// blocks are the files of the embedded server.
func (l *inspection) blocks() error {
	streams, err := blocks.Streams(l.dir.Broker())
	if err != nil {
		return err
	}
	for _, s := range streams {
		if l.identity == "" && s.Problem == nil {
			l.identity = s.Settings.Metadata["penstock.identity"]
			l.pipeline = s.Settings.Metadata["penstock.pipeline"]
		}
	}
	for _, s := range streams {
		if err := l.stream(s); err != nil {
			return fmt.Errorf("stream %s: %w", s.Name, err)
		}
	}
	return nil
}

func (l *inspection) stream(s *blocks.Stream) error {
	if s.Problem != nil {
		l.settings(s)
	}
	found := records{inChannel: strings.Count(s.Name, "+") == 1}
	damages, err := s.Scan(found.count)
	part := partOf(s.Name)
	if errors.Is(err, errors.ErrUnsupported) {
		l.note(part, "its files are not checked: %v", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, d := range damages {
		if d.Torn {
			l.note(part, "%v: left from a process that died while writing; the server removes it", d)
			damages = damages[:len(damages)-1]
			continue
		}
		l.wrong(part, "%v", d)
	}
	if found.foreign > 0 {
		l.note(part, "%s from another client: set aside, harmless, and trimmed with the frames around; find the client that publishes to its subjects", counted.Things(found.foreign, "stored message"))
	}
	if found.bad > 0 {
		l.note(part, "%s without a frame", counted.Things(found.bad, "stored message"))
	}
	if len(damages) > 0 {
		l.fixes = append(l.fixes, dropFix(s.Name, damages))
	}
	l.check("%s: %s", part, counted.Things(found.all, "stored record"))
	return nil
}

// records counts what is stored in a stream.
type records struct {
	inChannel         bool
	all, bad, foreign int
}

func (c *records) count(r blocks.Record) error {
	c.all++
	if !c.inChannel {
		return nil
	}
	if !channel.IsCommit(r.Header) {
		c.foreign++
		return nil
	}
	f, err := frame.Decode(r.Data)
	if err == nil {
		err = f.CheckActed()
	}
	if errors.Is(err, frame.ErrNewerVersion) {
		return err
	}
	if err != nil {
		c.bad++
	}
	return nil
}

// dropFix takes what is damaged out of a stream.
func dropFix(name string, damages []blocks.Damage) fix {
	return fix{
		text: mendText(name, damages),
		apply: func(path string) error {
			s, found, err := blocks.Lookup(datadir.At(path).Broker(), name)
			if err != nil {
				return err
			}
			if !found {
				return fmt.Errorf("there is no stream %s", name)
			}
			return s.Mend(damages)
		},
	}
}

func mendText(name string, damages []blocks.Damage) string {
	flipped := 0
	for _, d := range damages {
		if d.Bit >= 0 {
			flipped++
		}
	}
	taken := "which hold no data that is still needed"
	if strings.HasSuffix(name, "++dead-letters") {
		taken = "the dead letters in them are lost"
	}
	return fmt.Sprintf("repair the files of stream %s: correct %d flipped bits by the checksums; remove %d damaged pieces, %s",
		name, flipped, len(damages)-flipped, taken)
}

// settings are damaged: of a stream that the next start makes anew, with the
// messages that are there.
func (l *inspection) settings(s *blocks.Stream) {
	l.note(partOf(s.Name), "%v: the next start corrects them", s.Problem)
	if _, found := s.MendSettings(); !found {
		l.unreadable = append(l.unreadable, s.Name)
	}
}

// partOf names a stream.
func partOf(stream string) string {
	_, stage, _ := strings.Cut(stream, "+")
	if strings.HasPrefix(stage, "+") {
		return "stream " + stream
	}
	return "channel " + stage
}
