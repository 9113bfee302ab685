package datadir

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"penstock/checkpoint"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/view"
	"penstock/engine/remedy"
	"penstock/internal/format"
	"penstock/internal/nofollow"
)

// ErrNewerVersion says that a newer version of Penstock wrote a data directory, or
// something in it or in its channels. It is not damaged: that version reads it.
var ErrNewerVersion = format.ErrNewer

// ErrElsewhere says that the channels of a data directory are not on the server
// that was named, or that none was named.
var ErrElsewhere = errors.New("the channels are not on the configured server")

// Descriptor is the file that says what a data directory is, for every build that
// comes after. A run writes it; a directory of format 1 has none.
type Descriptor struct {
	Format   int      `json:"format"`
	Pipeline string   `json:"pipeline"`
	Channels []string `json:"channels,omitempty"` // addresses of the NATS server, without a login; none: in the directory
	Sum      string   `json:"sum"`                // of all that is before it, in every format: a damaged number is not a newer one
}

// mostDescriptor bounds the file, in bytes.
const mostDescriptor = 64 << 10

// DescriptorFile is where it is.
func (d *Directory) DescriptorFile() string { return filepath.Join(d.Path, "penstock.json") }

// Describe reads the file.
func (d *Directory) Describe() error {
	d.About, d.Damaged = Descriptor{Format: 1}, nil
	file, err := nofollow.Open(d.DescriptorFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the description of the data directory: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, mostDescriptor))
	if err != nil {
		return fmt.Errorf("read %s: %w", file.Name(), err)
	}
	about, err := decodeDescriptor(data)
	switch {
	case errors.Is(err, ErrNewerVersion):
		return fmt.Errorf("%s: %w", d.Path, err)
	case err != nil:
		d.Damaged = remedy.Errorf("%w: %s is damaged: see %v", view.ErrRefused, file.Name(), remedy.Examine)
		return nil
	}
	d.About = about
	return nil
}

// IsNew says that the directory has no checkpoints, and does not say what it is.
func (d *Directory) IsNew() bool { return d.About.Format < firstDescribed && !Exists(d.Checkpoints()) }

// Claim writes the file, when a run has found that the directory is its own.
func (d *Directory) Claim(pipeline, url string) error {
	return d.claim(Descriptor{Format: max(format.PlainDirectory, d.About.Format), Pipeline: pipeline, Channels: broker.Addresses(url)})
}

// ClaimChanged is Claim before the number of partitions of a stage is changed: from then on builds that would not know
// leave the directory alone.
func (d *Directory) ClaimChanged(pipeline, url string) error {
	return d.claim(Descriptor{Format: format.Directory, Pipeline: pipeline, Channels: broker.Addresses(url)})
}

func (d *Directory) claim(about Descriptor) error {
	data := about.encode()
	if d.About.Sum != "" && bytes.Equal(data, d.About.encode()) {
		return nil
	}
	if err := d.write(d.DescriptorFile(), data); err != nil {
		return fmt.Errorf("write the description of the data directory: %w", err)
	}
	d.About = about
	return nil
}

// sumField begins the last field of the file. What is before it is summed.
var sumField = []byte(",\n  \"sum\": ")

func (a Descriptor) encode() []byte {
	a.Sum = ""
	data, _ := json.MarshalIndent(a, "", "  ") // of texts and a number
	before := data[:bytes.LastIndex(data, sumField)]
	return fmt.Appendf(slices.Clip(before), "%s%q\n}\n", sumField, format.Sum(before))
}

// decodeDescriptor is the inverse of encode. Of a newer one nothing is known but
// where the sum and the format are.
func decodeDescriptor(data []byte) (Descriptor, error) {
	end := bytes.LastIndex(data, sumField)
	if end < 0 {
		return decodeUnsummed(data)
	}
	var head struct {
		Format int
		Sum    string
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Descriptor{}, err
	}
	if head.Sum != format.Sum(data[:end]) || head.Format < 2 {
		return Descriptor{}, errors.New("its sum is wrong")
	}
	if head.Format > format.Directory {
		return Descriptor{}, format.Newer("the data directory", uint64(head.Format), format.Directory)
	}
	var about Descriptor
	return about, json.Unmarshal(data, &about)
}

// decodeUnsummed reads a file of the first builds that wrote one, which has no sum.
// It may have no other field: with a flipped bit in its name a sum is one.
func decodeUnsummed(data []byte) (Descriptor, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var about Descriptor
	if err := decoder.Decode(&about); err != nil {
		return Descriptor{}, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) || about.Sum != "" || about.Format != firstDescribed || about.Pipeline == "" {
		return Descriptor{}, errors.New("it has no sum")
	}
	return about, nil
}

// firstDescribed is the format of a directory in which the first of these files
// were written.
const firstDescribed = 2

// CheckServer refuses another kind of server than the one that has the channels.
// Another address may be the same server by another name.
func (d *Directory) CheckServer(url string) error {
	if d.Damaged != nil {
		return d.Damaged
	}
	return d.CheckKind(url)
}

// CheckKind is CheckServer for what needs no readable descriptor.
func (d *Directory) CheckKind(url string) error {
	if url != "" {
		if err := broker.CheckURLs(url); err != nil {
			return err
		}
	}
	inside, known, err := d.isInside()
	switch {
	case err != nil || !known || inside == (url == ""):
		return err
	case inside:
		return remedy.Errorf("%w: the channels of %s are in the directory itself: leave out %v, or give the pipeline another directory (%v) to run on that server",
			ErrElsewhere, d.Path, remedy.NATS, remedy.Dir)
	case len(d.About.Channels) == 0 && !d.hasCheckpoints():
		return remedy.Errorf("%w: %s is in the data directory %s and has no checkpoints of a pipeline: name another directory with %v, or move it away",
			view.ErrRefused, d.Checkpoints(), d.Path, remedy.Dir)
	case len(d.About.Channels) == 0:
		return remedy.Errorf("%w: the channels of %s are not in the directory: name the NATS server that has them (%v)", ErrElsewhere, d.Path, remedy.NATS)
	}
	return remedy.Errorf("%w: pipeline %s runs on %s: name that server with %v", ErrElsewhere, d.About.Pipeline, strings.Join(d.About.Channels, ","), remedy.NATS)
}

// isInside says whether the channels are in the directory, as far as that is
// known: not before a run has begun there.
func (d *Directory) isInside() (inside, known bool, err error) {
	streams, err := blocks.Streams(d.Broker())
	switch {
	case err != nil:
		return false, false, fmt.Errorf("check whether the channels are in the directory: %w", err)
	case d.About.Format >= 2:
		return len(d.About.Channels) == 0, len(streams) > 0 || Exists(d.Checkpoints()) || Exists(d.StartingOver()), nil
	case len(streams) > 0:
		return true, true, nil
	}
	return false, Exists(d.Checkpoints()) && !Exists(d.StartingOver()), nil
}

// hasCheckpoints says whether something in the directory of the checkpoints is theirs, or nothing else is there.
func (d *Directory) hasCheckpoints() bool {
	list, err := os.ReadDir(d.Checkpoints())
	return err != nil || len(list) == 0 || slices.ContainsFunc(list, func(e fs.DirEntry) bool { return checkpoint.IsFile(e.Name()) })
}

// CheckMoved refuses a server that has no channels of the directory, where the
// last run used one with another address.
func (d *Directory) CheckMoved(ctx context.Context, b *broker.Broker, id Identity, url string) error {
	if !d.IsMoved(url) {
		return nil
	}
	stages, err := channel.Stages(ctx, b, id.Pipeline)
	if err != nil {
		return err
	}
	there, err := RunsOn(ctx, b, id.Pipeline, stages)
	if err != nil || slices.ContainsFunc(there, func(r RunOn) bool { return r.ID == id.ID }) {
		return err
	}
	if len(there) > 0 { // to start over would delete it
		return remedy.Errorf("%w: pipeline %s runs on %s, and the run of that name on %s belongs to %s: name the first server with %v, or the other directory with %v",
			ErrElsewhere, id.Pipeline, strings.Join(d.About.Channels, ","), strings.Join(broker.Addresses(url), ","), there[0].Directory(), remedy.NATS, remedy.Dir)
	}
	return remedy.Errorf("%w: pipeline %s runs on %s, and %s has no channels of it: name that server with %v, or start over on this one with %v",
		ErrElsewhere, id.Pipeline, strings.Join(d.About.Channels, ","), strings.Join(broker.Addresses(url), ","), remedy.NATS, remedy.Fresh)
}

// IsMoved says that the server has another address than the last time.
func (d *Directory) IsMoved(url string) bool {
	now := broker.Addresses(url)
	return len(d.About.Channels) > 0 && len(now) > 0 && !slices.ContainsFunc(now, func(a string) bool { return slices.Contains(d.About.Channels, a) })
}
