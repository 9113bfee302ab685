package dlqcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/dlq"
)

// errUnchanged says that the editor changed nothing.
var errUnchanged = errors.New("the value is unchanged, so nothing is replayed (without --edit it is replayed as it is)")

// draft is a value in a file, for the editor.
type draft struct {
	path   string
	letter dlq.Letter
	text   string // as it was
}

func newDraft(l dlq.Letter) (d *draft, err error) {
	pattern := "penstock-*.txt"
	if l.Codec == "cbor" || l.Codec == "json" {
		pattern = "penstock-*.json"
	}
	text, readable := valueText(l.Codec, l.Value)
	if !readable {
		text = string(l.Value)
	}
	file, err := os.CreateTemp("", pattern)
	if err != nil {
		return nil, fmt.Errorf("create a file for the editor: %w", err)
	}
	d = &draft{path: file.Name(), letter: l, text: text}
	if d.adds() {
		text += "\n"
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", d.path, err), os.Remove(d.path))
	}
	return d, nil
}

// adds says whether the file ends its last line, as editors want it, though
// the value does not.
func (d *draft) adds() bool { return !strings.HasSuffix(d.text, "\n") }

// edit runs the editor.
func (d *draft) edit(a *app.Invocation) error {
	editor := a.Getenv("VISUAL")
	if editor == "" {
		editor = a.Getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	var cmd *exec.Cmd
	if runtime.GOOS == "windows" {
		words := append(strings.Fields(editor), d.path)
		cmd = exec.Command(words[0], words[1:]...)
	} else {
		cmd = exec.Command("/bin/sh", "-c", editor+` "$1"`, "sh", d.path) // it may have options
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Stdin, a.Stdout, a.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run the editor %s ($VISUAL or $EDITOR): %w", editor, err)
	}
	return nil
}

// value reads what the editor left.
func (d *draft) value() ([]byte, error) {
	data, err := os.ReadFile(d.path)
	if err != nil {
		return nil, fmt.Errorf("read the edited value: %w", err)
	}
	text := string(data)
	if d.adds() {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	}
	if text == d.text {
		return nil, errUnchanged
	}
	return textValue(d.letter.Codec, text, d.letter.Value)
}

// isUntouched says that there is nothing in the file to be kept.
func (d *draft) isUntouched() bool {
	_, err := d.value()
	return errors.Is(err, errUnchanged)
}

// edited lets the user change the value of a letter, and asks for its replay.
// Nothing is locked while the editor runs. What was edited is kept until it is
// asked for.
func (c *dlqReplayCmd) edited(ctx context.Context, d *dlqAccess, request letters.Request) error {
	var letter dlq.Letter
	err := d.read(ctx, func(l letterStore) (err error) {
		letter, err = find(ctx, d.Invocation, l, request.IDs[0])
		return err
	})
	if err != nil {
		return err
	}
	draft, err := newDraft(letter)
	if err != nil {
		return err
	}
	err = draft.edit(d.Invocation)
	if err == nil {
		err = ctx.Err()
	}
	var value []byte
	if err == nil {
		value, err = draft.value()
	}
	if err == nil {
		request.Value, request.Sequence = &value, letter.Sequence
		err = d.with(ctx, func(l letterStore) error { return c.replay(ctx, d.Invocation, l, request) })
	}
	if err == nil || draft.isUntouched() {
		return errors.Join(err, os.Remove(draft.path))
	}
	return fmt.Errorf("%w; the edited value is kept: use it with --value @%s", err, draft.path)
}
