package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/internal/plan"
	"penstock/internal/nofollow"
)

// A message behind the last frame that begins like one, and is not sound, may have been the last commit of its stage:
// what tells two frames from their numbers is missing. A stage can make its last commit once more where nothing has
// used it, as after a crash before the commit. So it may go on an external server, where another client may have
// published it, if these hold:
//   - no reader has a position behind the last frame: what a reader has taken is not made once more, maybe otherwise;
//   - no checkpoint is ahead of it, and none was begun: its keys would have the effect twice. Only with an external
//     server the store tells how far they reach;
//   - no replay was settled behind its position: the dead letter is deleted then, and nothing would bring it again.
//
// The embedded server takes messages of no other client, and its records are checked by their own sums before: what is
// left there is kept.

// isLast says that a misfit is behind all frames, and that these are numbered without a gap.
func (m *misfits) isLast(sequence uint64) bool {
	for k := 1; k < len(m.frames); k++ {
		if m.frames[k].commit != m.frames[k-1].commit+1 {
			return false
		}
	}
	return len(m.frames) > 0 && sequence > m.frames[len(m.frames)-1].sequence
}

// lastMisfit tells of one. Positions and checkpoints are compared beside it: what is wrong with these is not mended.
func (l *inspection) lastMisfit(part string, sequence uint64, f misfit, remake bool) {
	advice := "it stays, since something may have used it"
	if remake {
		advice = "if it was the commit, no reader, checkpoint or replay may have used it: then the commit can be made once more"
	}
	l.wrong(part, "%v: sequence %d, %d bytes that begin with %s, is behind the last sound frame: another client published it like a commit, or it is the last commit of the stage, which was damaged before it was stored; %s",
		channel.ErrCorruptFrame, sequence, f.size, f.begin, advice)
}

// mayRemake says whether a stage may make its last commit once more, as far as neither its checkpoint nor the positions
// of its readers tell that.
func (l *inspection) mayRemake(ctx context.Context, b *broker.Broker, facts *channelFacts, hasStore bool) (bool, error) {
	if b.Embedded() || !hasStore {
		return false, nil
	}
	position := uint64(0)
	for _, p := range facts.inputs {
		if p.Stream == plan.ReplayStream {
			position = p.Offset
		}
	}
	queue, found, err := dlq.Lookup(ctx, b.JetStream(), l.pipeline)
	if err != nil || !found { // there is no letter either
		return err == nil, err
	}
	return queue.IsEveryRequestThere(ctx, position)
}

// keep writes a message that is about to be deleted from a server outside into the backup: that has no other copy.
func (x *examiner) keep(stream string, sequence uint64, data []byte) error {
	if x.config.NATS.URL == "" {
		return nil
	}
	dir := filepath.Join(x.backup, "removed")
	err := os.MkdirAll(dir, 0o700)
	var file *os.File
	if err == nil {
		file, err = nofollow.Create(filepath.Join(dir, fmt.Sprintf("%s-%d", stream, sequence)), 0o600)
	}
	if err == nil {
		_, err = file.Write(data)
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err != nil {
		return fmt.Errorf("keep a copy of what is removed: %w", err)
	}
	return nil
}
