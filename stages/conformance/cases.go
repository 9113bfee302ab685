package conformance

import (
	"fmt"
	"strings"
	"testing"

	"penstock/stages/connector"
)

// verdict collects what the cases have shown.
type verdict struct {
	connector, guarantee string
	rows                 []string
}

// run runs one case, and notes its result. fn returns what it did, in a few words.
// cases are what a source and a sink are tested with. Each says what was done.
type cases interface {
	testOrder(t *testing.T) string
	testRuns(t *testing.T) string
	testKills(t *testing.T) string
	testPoints(t *testing.T) string
	testOutage(t *testing.T) string
	testLetters(t *testing.T) string
	testOwners(t *testing.T) string
}

func test(t *testing.T, about connector.About, c cases) {
	v := &verdict{connector: about.Name, guarantee: about.Guarantee.String()}
	defer v.tell(t)
	v.run(t, "order", c.testOrder)
	v.run(t, "runs", c.testRuns)
	v.run(t, "kills", c.testKills)
	v.run(t, "points", c.testPoints)
	v.run(t, "outage", c.testOutage)
	v.run(t, "letters", c.testLetters)
	v.run(t, "owners", c.testOwners)
}

func (v *verdict) run(t *testing.T, name string, fn func(t *testing.T) string) {
	t.Helper()
	did := ""
	passed := t.Run(name, func(t *testing.T) { did = fn(t) })
	result := "failed"
	if passed {
		result = "passed"
	}
	v.rows = append(v.rows, fmt.Sprintf("| %s | %s | %s | %s |", v.connector, name, result, did))
}

// tell prints the table.
func (v *verdict) tell(t *testing.T) {
	t.Logf("promised: %s\n| connector | case | result | what was done |\n|---|---|---|---|\n%s", v.guarantee, strings.Join(v.rows, "\n"))
}

// numbers are the values from one number to another.
func numbers(from, below int) (list [][]byte) {
	for n := from; n < below; n++ {
		list = append(list, number(n))
	}
	return list
}

// split parts the values that are rejected from the others.
func split(values [][]byte) (taken, rejected [][]byte) {
	all := order{Rejects: true}
	for _, v := range values {
		if all.isRejected(v) {
			rejected = append(rejected, v)
		} else {
			taken = append(taken, v)
		}
	}
	return taken, rejected
}
