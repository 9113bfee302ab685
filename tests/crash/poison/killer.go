package poison

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Killer is a number that does harm in a stage.
type Killer struct {
	Stage  string
	Number uint64
	Way    string
}

// Stages that a killer can be in.
var Stages = []string{"sift", "tally", "bundle", "file", "beside"}

// String is what ParseKillers reads.
func (k Killer) String() string { return fmt.Sprintf("%s:%d:%s", k.Stage, k.Number, k.Way) }

// ParseKillers reads killers that are separated by commas.
func ParseKillers(text string) (killers []Killer, err error) {
	for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' }) {
		field := strings.Split(part, ":")
		if len(field) != 3 || !slices.Contains(Stages, field[0]) || !isWay(field[2]) {
			return nil, fmt.Errorf("killer %q: want stage:number:way", part)
		}
		number, err := strconv.ParseUint(field[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("killer %q: %w", part, err)
		}
		killers = append(killers, Killer{field[0], number, field[2]})
	}
	return killers, nil
}

// Join is the inverse of ParseKillers.
func Join(killers []Killer) string {
	var parts []string
	for _, k := range killers {
		parts = append(parts, k.String())
	}
	return strings.Join(parts, ",")
}

// ID is that of the killer's dead letter.
func (k Killer) ID(c Config) string {
	return fmt.Sprintf("%s.0:%s.0:%d", k.Stage, input[k.Stage], c.offset(k))
}

// input is the stream that a stage reads.
var input = map[string]string{"sift": "numbers", "tally": "sift", "bundle": "tally", "file": "bundle", "beside": "numbers"}

// offset is that of the killer in the stream that its stage reads, which those of the stages before are missing in.
func (c Config) offset(k Killer) uint64 {
	at := k.Number
	for _, other := range c.Killers {
		if other.Number < k.Number && before(other.Stage, k.Stage) {
			at--
		}
	}
	return at
}

// before says whether what a stage does not let through is missing in another one.
func before(stage, other string) bool {
	chain := Stages[:4]
	k := slices.Index(chain, other)
	return k >= 0 && slices.Contains(chain[:k], stage)
}

const harm = "harm "

// ParseHarm returns the killer that a line of output tells of, if it does.
func ParseHarm(line string) (killer string, found bool) { return strings.CutPrefix(line, harm) }
