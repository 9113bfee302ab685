package dlqcmd

import (
	"fmt"
	"strings"

	"penstock/cmd/pipeline/internal/app"
	"penstock/dlq"
)

// missing are the IDs that nothing was found for.
type missing struct {
	ids   []string
	found map[string]bool
}

func newMissing(ids []string) *missing { return &missing{ids, map[string]bool{}} }

func (m *missing) seen(id string) {
	if len(m.ids) > 0 {
		m.found[id] = true
	}
}

// err names the first few of them.
func (m *missing) err(a *app.Invocation, l letterStore, f dlq.Filter) error {
	const named = 5
	var list []string
	n := 0
	for _, id := range m.ids {
		if m.found[id] {
			continue
		}
		m.found[id] = true // once is enough
		if n++; n <= named {
			list = append(list, id)
		}
	}
	if n == 0 {
		return nil
	}
	if n > named {
		list = append(list, "…")
	}
	why := "it may have been replayed or discarded; see"
	if f.Stage != "" || f.Reason != "" || !f.Since.IsZero() || !f.Until.IsZero() || f.Key != "" || f.Error != "" {
		why = "or the filter excludes it; see"
	}
	pipeline, _ := l.about()
	return fmt.Errorf("%w: pipeline %s has none with the ID %s (%s %s dlq list)", errNoLetter, pipeline, strings.Join(list, ", "), why, a.Name())
}
