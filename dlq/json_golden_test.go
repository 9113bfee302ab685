package dlq

import (
	"encoding/json"
	"testing"
	"time"
)

// The JSON form of a letter is in files of users and read by other builds: each byte stays, the order of the fields too.
func TestTheJSONFormOfALetterStaysTheSame(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 3, 0, 0, 5, time.UTC)
	var l Letter
	l.Pipeline, l.Stage, l.Instance = "p", "worker", 1
	l.Input, l.InputInstance, l.Offset = "parse/bad", 2, 33
	l.Key, l.Value, l.Edited, l.Original = "k\xff", []byte("33"), true, []byte("32")
	l.Codec, l.Time = "uint64", at
	l.Reason, l.Error, l.Panic, l.Stack = ReasonPanic, "e", "p", "s"
	l.Chain, l.Attempts, l.AttemptsOmitted = []string{"c"}, []Attempt{{at, "a"}}, 4
	l.Round, l.History, l.To = 2, []Round{{at, ReasonError, "h", 3, "x"}}, "logger"
	l.Version, l.At, l.Sequence, l.Queue = "v", at, 7, "q"
	for want, l := range map[string]Letter{
		`{"id":"worker.1:parse/bad.2:33","pipeline":"p","stage":"worker","instance":1,"input":"parse/bad","in` +
			`putInstance":2,"offset":33,"key":{"base64":"a/8="},"value":"MzM=","json":33,"valueBytes":2,"edited":` +
			`true,"original":"MzI=","codec":"uint64","time":"2026-11-30T03:00:00.000000005Z","reason":"panic","er` +
			`ror":"e","panic":"p","stack":"s","chain":["c"],"attempts":[{"time":"2026-11-30T03:00:00.000000005Z",` +
			`"error":"a"}],"attemptsOmitted":4,"round":2,"history":[{"at":"2026-11-30T03:00:00.000000005Z","reaso` +
			`n":"error","error":"h","attempts":3,"to":"x"}],"to":"logger","version":"v","at":"2026-11-30T03:00:00` +
			`.000000005Z","sequence":7,"queue":"q"}`: l,
		`{"id":".0:.0:0","pipeline":"","stage":"","instance":0,"input":"","inputInstance":0,"offset":0,"valueBytes":0,"time":"0001-01-01T00:00:00Z","reason":"","round":1,"at":"0001-01-01T00:00:00Z"}`: {},
	} {
		got, err := json.Marshal(l)
		if err != nil || string(got) != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	}
}
