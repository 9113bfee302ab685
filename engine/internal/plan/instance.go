package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// InstanceID names one instance of a stage. Its text is part of what is stored: of the subject of the instance's
// frames, of its corner in the checkpoints and of the ids of messages and dead letters.
type InstanceID struct {
	Stage  string
	Number int // from 0
}

// Only is the instance of a stage that has one.
func Only(stage string) InstanceID { return InstanceID{Stage: stage} }

// String returns "stage.0".
func (id InstanceID) String() string { return id.Stage + "." + id.number() }

func (id InstanceID) number() string { return strconv.Itoa(id.Number) }

// ParseInstance is the inverse of String.
func ParseInstance(name string) (InstanceID, error) {
	stage, number, found := strings.Cut(name, ".")
	n, err := strconv.Atoi(number)
	if !found || err != nil || n < 0 {
		return InstanceID{}, fmt.Errorf("%q names no instance of a stage", name)
	}
	return InstanceID{Stage: stage, Number: n}, nil
}

// StagesOf are the stages of instances that are named as String names them, each once.
func StagesOf(instances []string) (stages []string) {
	for _, name := range instances {
		if stage, _, _ := strings.Cut(name, "."); !slices.Contains(stages, stage) {
			stages = append(stages, stage)
		}
	}
	return stages
}

// Subject is that of the instance's frames.
func (id InstanceID) Subject(pipeline string) string { return pipeline + "." + id.String() }

// Consumer names the JetStream consumer through which the instance reads a stream. A stage may read a stream and its
// branches, which are one JetStream stream, so the branch is part of it, behind a character that no name has.
func (id InstanceID) Consumer(branch string) string {
	name := id.Stage + "-" + strconv.Itoa(id.Number)
	if branch != "" {
		name += "+" + branch
	}
	return name
}

// Message names a message of a stream, by the number of the instance that writes it: "stream.0:33".
func Message(stream string, number int, offset uint64) string {
	return stream + "." + strconv.Itoa(number) + ":" + strconv.FormatUint(offset, 10)
}
