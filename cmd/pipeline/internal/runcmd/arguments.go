package runcmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/internal/argsfile"
	"penstock/internal/format"
	"penstock/internal/hint"
	"penstock/internal/nofollow"
)

// arguments are those that decide what a run does, by name. An interrupted run
// that went on with others would end with a result that belongs to neither.
type arguments []flags.Argument

// check compares with the arguments of the run that is resumed, or else keeps
// these for the next one. The directory must be locked.
func (a arguments) check(dir string, resumed bool) error {
	path := filepath.Join(dir, argsfile.Name)
	now, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode the arguments: %w", err)
	}
	stored, err := nofollow.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the arguments of the last run: %w", err)
	}
	isThere := err == nil
	before, err := argsfile.Decode(stored)
	switch {
	case isThere && err == nil && bytes.Equal(before, now):
		return nil
	case isThere && errors.Is(err, format.ErrNewer):
		return fmt.Errorf("%s: %w", path, err)
	case isThere && resumed && err != nil:
		return fmt.Errorf("%s is damaged, so it cannot be checked that this start has the arguments of the interrupted run: if it has, remove that file and start again; nothing else needs it", path)
	case isThere && resumed:
		return flags.Usage("%s holds an interrupted run with other arguments (%s): run it again with these, start over with --fresh, or name another --dir", dir, differences(before, now))
	}
	if err := writeFile(path, argsfile.Encode(now), 0o600); err != nil {
		return fmt.Errorf("keep the arguments of the run: %w", err)
	}
	return nil
}

// typed are the arguments as they are typed, each one text: another value is another text.
func (a arguments) typed() (list []string, err error) {
	data, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode the arguments: %w", err)
	}
	var saved []savedArgument
	if err := json.Unmarshal(data, &saved); err != nil {
		return nil, fmt.Errorf("decode the arguments: %w", err)
	}
	for _, s := range saved {
		list = append(list, s.String())
	}
	return list, nil
}

type savedArgument struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// String is the argument as it is typed.
func (a savedArgument) String() string {
	var value any
	if json.Unmarshal(a.Value, &value) != nil {
		return a.Name + " " + string(a.Value)
	}
	switch value := value.(type) {
	case nil:
		return "no " + a.Name
	case bool:
		if value {
			return a.Name
		}
		return "no " + a.Name
	case string:
		if value == "" {
			return typed(a.Name)
		}
		return typed(a.Name, hint.Word(value))
	case []any:
		words := make([]string, len(value))
		for i, v := range value {
			words[i] = hint.Word(fmt.Sprint(v))
		}
		return typed(a.Name, words...)
	}
	return a.Name + " " + string(a.Value)
}

func typed(name string, words ...string) string {
	if len(words) == 0 {
		return "no " + name
	}
	return name + " " + strings.Join(words, " ")
}

// differences names the earlier values that are not the same now.
func differences(before, now []byte) string {
	var old, new []savedArgument
	if json.Unmarshal(before, &old) != nil || json.Unmarshal(now, &new) != nil {
		return string(before)
	}
	same := map[string]string{}
	for _, a := range new {
		same[a.Name] = string(a.Value)
	}
	var list []string
	for _, a := range old {
		if same[a.Name] != string(a.Value) {
			list = append(list, a.String())
		}
	}
	return strings.Join(list, ", ")
}
