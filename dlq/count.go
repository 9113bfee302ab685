package dlq

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Count is how many letters a stage has of a reason.
type Count struct {
	Stage  string
	Reason Reason
	N      uint64
}

// CountBy counts the letters by stage and reason, sorted by both; messages that are none count as ReasonUnreadable. It
// reads the headers of every letter, so that it is not for a queue of very many letters in every second.
func (q *Queue) CountBy(ctx context.Context) ([]Count, error) {
	info, err := q.stream.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("dlq: count stream %s: %w", q.name, err)
	}
	counts := map[Count]uint64{}
	s := scanner{q: q, stream: q.name, subject: ">", next: 1}
	err = s.each(ctx, info.State.LastSeq, func(m listed) error {
		_, rest, _ := strings.Cut(m.message.Subject, ".")
		stage, _, _ := strings.Cut(rest, ".")
		reason := Reason(m.message.Header.Get(headerReason))
		if checkFormat(m.message.Header.Get(headerFormat)) != nil || !validReason.MatchString(string(reason)) {
			reason = ReasonUnreadable
		}
		counts[Count{Stage: stage, Reason: reason}]++
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("dlq: count: %w", err)
	}
	list := make([]Count, 0, len(counts))
	for c, n := range counts {
		c.N = n
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Reason, b.Reason))
	})
	return list, nil
}
