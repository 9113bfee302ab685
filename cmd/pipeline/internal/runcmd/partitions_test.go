package runcmd

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestPartitionsAreGivenByStage(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--partitions tally=4 --partitions again=0": "",
		"--partitions tally":                        `"tally" is not STAGE=N`,
		"--partitions tally=x":                      `"tally=x" is not STAGE=N`,
		"--partitions tally=3,again=2":              "give the flag once for each stage",
	} {
		var c struct {
			Wide partitions `name:"partitions"`
		}
		parser, err := kong.New(&c)
		if err == nil {
			_, err = parser.Parse(strings.Fields(args))
		}
		switch {
		case want == "" && (err != nil || len(c.Wide) != 2 || c.Wide["tally"] != 4):
			t.Errorf("%s: %v, %v", args, c.Wide, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}
