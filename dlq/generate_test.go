package dlq

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// anyBytes are mostly hostile: line ends, quotes, control characters, invalid UTF-8, things that look encoded.
func anyBytes(longest int) *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Just(""),
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, min(longest, 300)), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{
			"a\r\nPenstock-Stage: evil\r\n\r\n", " \t spaces \t ", `"quoted"`, "base64:AAAA", "\x00\x1b[2J", "\xff\xfe", "\u202e\u0085",
			"<a href='x'>&", "�", "goroutine 1 [running]:\n\tmain.go:1",
		}),
		rapid.Custom(func(t *rapid.T) string {
			unit := rapid.SampledFrom([]string{"x", "\n", "\x00", "\xff", "é", "😀", `"`}).Draw(t, "unit")
			return strings.Repeat(unit, rapid.IntRange(0, longest).Draw(t, "repeat"))
		}),
	)
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.OneOf(
		rapid.Just(time.Time{}),
		rapid.Map(rapid.Int64(), func(ns int64) time.Time { return time.Unix(0, ns) }),
		rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(-1e13, 1e13).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		}),
	)
}

func anyLetter() *rapid.Generator[Letter] {
	name := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`)
	return rapid.Custom(func(t *rapid.T) Letter {
		input := name.Draw(t, "input")
		if rapid.Bool().Draw(t, "branched") {
			input += "/" + name.Draw(t, "branch")
		}
		attempt := rapid.Custom(func(t *rapid.T) Attempt {
			return Attempt{anyTime().Draw(t, "time"), anyBytes(700).Draw(t, "error")}
		})
		reason := rapid.SampledFrom([]Reason{ReasonPanic, ReasonKilled, ReasonError, ReasonRejected, ReasonTooLarge, ReasonHeld})
		to := rapid.OneOf(rapid.Just(""), name)
		round := rapid.Custom(func(t *rapid.T) Round {
			return Round{
				anyTime().Draw(t, "round at"), reason.Draw(t, "round reason"), anyBytes(300).Draw(t, "round error"),
				rapid.IntMin(0).Draw(t, "round attempts"), to.Draw(t, "round to"),
			}
		})
		return Letter{
			Origin: Origin{
				Pipeline: "fizzbuzz", Stage: name.Draw(t, "stage"),
				Instance: rapid.IntMin(0).Draw(t, "instance"), Input: input,
				InputInstance: rapid.IntMin(0).Draw(t, "input instance"), Offset: rapid.Uint64().Draw(t, "offset"),
			},
			Content: Content{
				Key: anyBytes(5000).Draw(t, "key"), Value: []byte(anyBytes(5000).Draw(t, "value")),
				Codec: anyBytes(64).Filter(func(s string) bool { return len(s) <= maxCodec }).Draw(t, "codec"), Time: anyTime().Draw(t, "message time"),
				Edited: rapid.Bool().Draw(t, "edited"),
			},
			Cause: Cause{
				Reason: reason.Draw(t, "reason"), Chain: rapid.SliceOfN(anyBytes(500), 0, 12).Draw(t, "chain"),
				Error: anyBytes(6000).Draw(t, "error"), Panic: anyBytes(6000).Draw(t, "panic"),
				Stack: anyBytes(20000).Draw(t, "stack"), Attempts: rapid.SliceOfN(attempt, 0, 20).Draw(t, "attempts"),
				AttemptsOmitted: rapid.IntRange(0, 1000).Draw(t, "omitted"),
			},
			Rounds: Rounds{Round: rapid.IntMin(0).Draw(t, "round"), History: rapid.SliceOfN(round, 0, 12).Draw(t, "history"), To: to.Draw(t, "to")},
			Write:  Write{Version: anyBytes(300).Draw(t, "version"), At: anyTime().Draw(t, "at")},
		}
	})
}

// greatest is a letter of which every part takes as much room as it can, for texts that are repetitions of unit.
func greatest(unit string) Letter {
	long := strings.Repeat(unit, 100_000)
	name := strings.Repeat("n", 64)
	attempts := make([]Attempt, 1000)
	for i := range attempts {
		attempts[i] = Attempt{time.Unix(1<<40, 123456789), long}
	}
	history := make([]Round, 20)
	for i := range history {
		history[i] = Round{time.Unix(1<<40, 123456789), Reason(strings.Repeat("r", 32)), long, 1<<63 - 1, name}
	}
	return Letter{
		Origin: Origin{
			Pipeline: name, Stage: name,
			Instance: 1<<63 - 1, Input: name + "/" + name,
			InputInstance: 1<<63 - 1, Offset: 1<<64 - 1,
		},
		Content: Content{
			Edited: true, Key: long[:2048],
			Value: []byte("v"), Codec: long[:maxCodec],
			Time: time.Unix(1<<40, 123456789),
		},
		Cause: Cause{
			Chain: slices.Repeat([]string{long}, 20), Reason: Reason(strings.Repeat("r", 32)),
			Error: long, Panic: long,
			Stack: long, Attempts: attempts,
			AttemptsOmitted: 1 << 60,
		},
		Rounds: Rounds{Round: 1<<63 - 1, History: history, To: name},
		Write:  Write{Version: long, At: time.Unix(1<<40, 123456789)},
	}
}
