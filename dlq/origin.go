package dlq

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// origin is where a dead letter comes from: who gave up on which message. It is the identity of the letter.
type origin struct {
	stage         string
	instance      int
	input         string // "stage" or "stage/branch"
	inputInstance int
	offset        uint64
}

func (o origin) String() string {
	return fmt.Sprintf("%s.%d:%s.%d:%d", o.stage, o.instance, o.input, o.inputInstance, o.offset)
}

// subject replaces the / of a branch, which some tools take for a path, by ~, which no name contains.
func (o origin) subject(pipeline string) string {
	return fmt.Sprintf("%s.%s.%d.dead.%s.%d.%d", pipeline, o.stage, o.instance, inputToken(o.input), o.inputInstance, o.offset)
}

func inputToken(input string) string { return strings.Replace(input, "/", "~", 1) }

var idPattern = regexp.MustCompile(`^([^.:]+)\.(\d+):([^.:]+)\.(\d+):(\d+)$`)

// parseID is the inverse of String. It takes no other spelling of the same origin.
func parseID(id string) (origin, error) {
	wrong := func() (origin, error) {
		return origin{}, fmt.Errorf("%w dead letter ID %q: it looks like worker.0:generator.0:33", ErrInvalid, id)
	}
	part := idPattern.FindStringSubmatch(id)
	if part == nil {
		return wrong()
	}
	instance, err1 := strconv.Atoi(part[2])
	inputInstance, err2 := strconv.Atoi(part[4])
	offset, err3 := strconv.ParseUint(part[5], 10, 64)
	o := origin{part[1], instance, part[3], inputInstance, offset}
	if err1 != nil || err2 != nil || err3 != nil || o.check() != nil || o.String() != id {
		return wrong()
	}
	return o, nil
}

func (o origin) check() error {
	if err := checkName("stage", o.stage); err != nil {
		return err
	}
	stage, branch, branched := strings.Cut(o.input, "/")
	if err := checkName("input", stage); err != nil {
		return err
	}
	if branched {
		if err := checkName("branch", branch); err != nil {
			return err
		}
	}
	if o.instance < 0 || o.inputInstance < 0 {
		return fmt.Errorf("%w instance %d reading instance %d: they count from 0", ErrInvalid, o.instance, o.inputInstance)
	}
	return nil
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func checkName(what, name string) error {
	if validName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%w %s name %q: use 1 to 64 of A-Z a-z 0-9 _ -", ErrInvalid, what, name)
}
