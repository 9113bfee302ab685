package channel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine/frame"
	"penstock/engine/redact"
	"penstock/internal/format"
)

// Owner is the run that a stream belongs to, as the stream tells it: where it is, and with what arguments. Host and Dir
// are for people. A text of it may come from anywhere: [Owner.Place] and [Owner.Differences] are safe to show.
type Owner struct {
	Format    int      `json:"format"`
	Host      string   `json:"host"`
	Dir       string   `json:"dir"`
	Arguments []string `json:"arguments,omitempty"` // their beginning, without credentials
	Sum       string   `json:"sum"`                 // of all arguments, without credentials
}

// The server bounds all metadata of a stream by 128 KiB.
const (
	mostOwned     = 1 << 10 // bytes of a host or a directory
	mostArguments = 8 << 10 // bytes of all arguments
	mostShown     = 300     // bytes of a list in an error
)

// OwnerAt is a run of this host.
func OwnerAt(dir string, arguments []string) Owner {
	host, _ := os.Hostname() // it is a hint
	o := Owner{Format: format.Owner, Host: beginning(host, mostOwned), Dir: beginning(dir, mostOwned)}
	sum, room := sha256.New(), mostArguments
	for _, a := range arguments {
		a = redact.Text(a)
		fmt.Fprintf(sum, "%d:%s", len(a), a)
		if room > 0 {
			o.Arguments = append(o.Arguments, beginning(a, room))
			room -= len(a) + len(`"",`)
		}
	}
	o.Sum = hex.EncodeToString(sum.Sum(nil))
	return o
}

// beginning is a text of at most so many bytes that JSON does not change.
func beginning(text string, most int) string {
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// IsKnown says that the stream tells of its run. Earlier builds left nothing.
func (o Owner) IsKnown() bool { return o.Format > 0 }

// IsAt says that a run of the other is in the same directory of the same host, as far as these tell.
func (o Owner) IsAt(other Owner) bool { return o.Host == other.Host && o.Dir == other.Dir }

// HasOther says that the arguments are known and are not those of now.
func (o Owner) HasOther(now Owner) bool { return o.IsKnown() && o.Sum != now.Sum }

// Place is the directory and its host, in one line.
func (o Owner) Place() string {
	if !o.IsKnown() {
		return "an unknown place"
	}
	return plainly(o.Dir) + " on host " + plainly(o.Host)
}

// Differences are the arguments of each that the other does not have, in one line.
func (o Owner) Differences(now Owner) (before, after string) {
	return without(o.Arguments, now.Arguments), without(now.Arguments, o.Arguments)
}

func without(list, others []string) string {
	var shown []string
	for _, a := range list {
		if !slices.Contains(others, a) {
			shown = append(shown, plainly(a))
		}
	}
	switch text := strings.Join(shown, ", "); {
	case text != "":
		return beginning(text, mostShown)
	case len(list) > 0:
		return "more or other ones behind the first " + strconv.Itoa(len(list))
	}
	return "none"
}

// plainly is a text from anywhere in one line that cannot steer a terminal.
func plainly(text string) string {
	quoted := strconv.Quote(text)
	if inner := quoted[1 : len(quoted)-1]; inner == text && text != "" {
		return text
	}
	return quoted
}

func (o Owner) encode() string {
	data, _ := json.Marshal(o) // of texts and a number
	return string(data)
}

// decodeOwner takes what it cannot read for nothing: another client may have edited it.
func decodeOwner(text string) Owner {
	var head struct{ Format int }
	if json.Unmarshal([]byte(text), &head) != nil || head.Format < 1 {
		return Owner{}
	}
	if head.Format > format.Owner {
		return Owner{Format: head.Format}
	}
	var o Owner
	if json.Unmarshal([]byte(text), &o) != nil || o.Sum == "" {
		return Owner{}
	}
	return o
}

// placeNote is what an entry in the register has of its owner.
const placeNote = "place"

// Notes are what an entry in the register tells of the owner, for people.
func (o Owner) Notes() frame.Notes { return frame.Notes{{Name: placeNote, Value: []byte(o.encode())}} }

// Place is where the owner is that made an entry in the register, "" if the entry does not tell.
func Place(entry Record) string {
	value, _ := entry.Frame.Notes.Get(placeNote)
	if o := decodeOwner(string(value)); o.IsKnown() && o.Format <= format.Owner {
		return o.Place()
	}
	return ""
}

// Owner is the run that the stream belongs to, as the stream tells it. It is [ErrNewerVersion] if a newer version wrote
// that.
func (c *Channel) Owner() (Owner, error) {
	o := decodeOwner(c.stream.Load().owner)
	if o.Format > format.Owner {
		return Owner{}, fmt.Errorf("stream %s: %w", c.name, format.Newer("what tells of its run", uint64(o.Format), format.Owner))
	}
	return o, nil
}

// Own has the stream tell that it belongs to this run. It waits out a server that is away.
func (c *Channel) Own(ctx context.Context, o Owner) error {
	text := o.encode()
	if c.stream.Load().owner == text {
		return nil
	}
	return repeat(ctx, c.broker, c.logger, "write the owner of stream "+c.name, func(ctx context.Context) error {
		js := c.broker.JetStream()
		s, err := js.Stream(ctx, c.name)
		if err == nil {
			if err := c.checkIdentity(s); err != nil {
				return err
			}
			have := s.CachedInfo().Config
			if have.Metadata == nil {
				have.Metadata = map[string]string{}
			}
			have.Metadata[metaOwner] = text
			s, err = js.UpdateStream(ctx, have)
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return c.lostError()
		}
		if err != nil {
			return fmt.Errorf("stream %s: write its owner: %w", c.name, err)
		}
		c.remember(s)
		return nil
	})
}

func (c *Channel) checkIdentity(s jetstream.Stream) error {
	metadata := s.CachedInfo().Config.Metadata
	found := metadata[metaIdentity]
	if c.spec.Identity == "" || found == c.spec.Identity {
		return nil
	}
	if found == "" {
		found = "none"
	}
	if o := decodeOwner(metadata[metaOwner]); o.IsKnown() && o.Format <= format.Owner {
		found += " (" + o.Place() + ")"
	}
	return fmt.Errorf("%w: %s has identity %s, this one is %s: use the directory that goes with the stream, or another pipeline name",
		ErrForeign, c.name, found, c.spec.Identity)
}
