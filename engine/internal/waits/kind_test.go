package waits

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine/observe"
)

func TestTheKindsOfWaitsAreListed(t *testing.T) {
	t.Parallel()
	var overdue []string
	for _, rule := range rules {
		if rule.patience > 0 {
			overdue = append(overdue, rule.name)
		}
	}
	if listed := observe.WaitKinds(); !slices.Equal(listed, overdue) {
		t.Errorf("listed are %q, and these may be overdue: %q", listed, overdue)
	}
}

// What the table of the documentation says is what the rules say.
func TestTheWaitsOfTheDocumentationAreThoseOfTheRules(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		row := "\n| `" + rule.name + "` | "
		at := strings.Index(string(page), row)
		if at < 0 {
			t.Errorf("%s is not in the table", rule.name)
			continue
		}
		patience, _, _ := strings.Cut(string(page)[at+len(row):], " |")
		patience, _, _ = strings.Cut(patience, " without")
		patience, _, _ = strings.Cut(patience, ", and")
		said, err := time.ParseDuration(strings.NewReplacer(" s", "s", " min", "m", "never", "0s").Replace(patience))
		if err != nil || said != rule.patience {
			t.Errorf("%s is overdue after %v, and the table says %q", rule.name, rule.patience, patience)
		}
	}
}
