package conformance

import (
	"strings"
	"testing"

	"penstock/stages/connector"
)

// What is lost, doubled, strange or out of order is found, as far as the guarantee forbids it.
func TestCompare(t *testing.T) {
	t.Parallel()
	want := strings.Fields("a b c d")
	for _, of := range []struct {
		guarantee connector.Guarantee
		got       string
		says      string // "": it is as promised
	}{
		{connector.ExactlyOnce, "a b c d", ""},
		{connector.ExactlyOnce, "a b d", `lost 1: "c"`},
		{connector.ExactlyOnce, "a b c c d", `more than once 1: "c"`},
		{connector.ExactlyOnce, "a b c d e", `never sent 1: "e"`},
		{connector.ExactlyOnce, "a c b d", `value 1 is "c", not "b"`},
		{connector.ExactlyOnce, "", "lost 4:"},
		{connector.OnceWithin, "d c b a", ""},
		{connector.OnceWithin, "d c b a a", "more than once 1"},
		{connector.AtLeastOnce, "d c b a a", ""},
		{connector.AtLeastOnce, "a b c", "lost 1"},
		{connector.AtMostOnce, "a b", ""},
		{connector.AtMostOnce, "a a", "more than once 1"},
		{connector.AtMostOnce, "x", "never sent 1"},
	} {
		err := compare(of.guarantee, bytesOf(strings.Fields(of.got)), bytesOf(want))
		if (err == nil) != (of.says == "") || err != nil && !strings.Contains(err.Error(), of.says) {
			t.Errorf("%v, %q: %v, want %q", of.guarantee, of.got, err, of.says)
		}
	}
}

func bytesOf(texts []string) (list [][]byte) {
	for _, text := range texts {
		list = append(list, []byte(text))
	}
	return list
}
