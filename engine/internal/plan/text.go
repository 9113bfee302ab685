package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Text is the plan in words, a line for each group, stage and stream. Two plans with one text are made of the same
// parts; what their functions do is not in it.
func (p *Pipeline) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pipeline %s\n", p.Name)
	for _, g := range p.Groups {
		fmt.Fprintf(&b, "group %s in %q: %v\n", g.Name, g.Parent.Path(), g.Settings.Strategy)
	}
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "stage %s in %q: %s, state %s", s.Name, s.Group.Path(), s.Kind, s.StateCodec())
		for _, i := range s.Inputs {
			fmt.Fprintf(&b, ", reads %s%s", i.Stream, i.how())
		}
		if n := s.Wished(); n > 1 {
			fmt.Fprintf(&b, ", in %d partitions", n)
		}
		for _, t := range s.Timers {
			fmt.Fprintf(&b, ", timer %s%s", t.Name, t.interval())
		}
		b.WriteByte('\n')
		for _, to := range s.Streams() {
			fmt.Fprintf(&b, "stream %s: %s as %s\n", to, to.TypeName, to.CodecName())
		}
	}
	return b.String()
}

// Hash tells plans apart: it is that of Text.
func (p *Pipeline) Hash() string {
	sum := sha256.Sum256([]byte(p.Text()))
	return hex.EncodeToString(sum[:8])
}

func (i *Input) how() string {
	switch {
	case i.Key != nil:
		return " by key"
	case i.Batch:
		return " in batches"
	}
	return ""
}

func (t Timer) interval() string {
	if t.Every == 0 {
		return ""
	}
	return "every " + t.Every.String()
}
