package workload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/internal/testing/natsserver"
)

func TestGeneratedPipelinesAreSound(t *testing.T) {
	t.Parallel()
	kinds := map[Kind]int{}
	for seed := range uint64(2000) {
		needs := Needs{NoFiles: seed%2 == 0}
		s := Generate(seed, needs)
		if again := Generate(seed, needs); !reflect.DeepEqual(s, again) {
			t.Fatalf("seed %d gives two workloads", seed)
		}
		if n := len(s.Stages); n < minStages || n > maxStages+1 { // one sink may come on top
			t.Errorf("seed %d: %d stages", seed, n)
		}
		for _, stage := range s.Stages {
			kinds[stage.Kind]++
			if needs.NoFiles && stage.Kind == File {
				t.Errorf("seed %d: there is a file", seed)
			}
		}
		if err := New(s, Place{Outside: &Outside{}}).Check(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	t.Log(kinds)
	for _, kind := range []Kind{Source, Pass, Keyed, Window, File, Publish, Count} {
		if kinds[kind] < 100 {
			t.Errorf("only %d stages are %s", kinds[kind], kind)
		}
	}
}

// The reference must be what a pipeline without any fault from outside really does.
func TestUndisturbedRunsAreRight(t *testing.T) {
	t.Parallel()
	outside := newOutside(t)
	runs := uint64(12)
	if testing.Short() {
		runs = 3
	}
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := Generate(seed, Needs{IDs: 400})
			if findings := Check(s, finished(t, s, outside)); len(findings) > 0 {
				t.Errorf("an undisturbed run of %+v is wrong: %v", s, findings)
			}
		})
	}
}

func newOutside(t *testing.T) *Outside {
	t.Helper()
	s := natsserver.Start(t)
	outside, err := DialOutside(s.ClientURL(), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(outside.Close)
	return outside
}

// finished runs a workload to its end.
func finished(t *testing.T, s Spec, outside *Outside) Result {
	t.Helper()
	place := Place{Output: t.TempDir(), Outside: outside}
	if err := outside.Prepare(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	defer outside.Remove(context.Background(), s)
	config := engine.Config{Dir: t.TempDir(), CheckpointInterval: s.Checkpoint, Logger: slog.New(slog.DiscardHandler)}
	p := New(s, place)
	if err := p.Run(t.Context(), config); err != nil || !p.Status().Completed {
		t.Fatalf("the run of %+v ended with %v", s, err)
	}
	result, err := Collect(t.Context(), s, config, place)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// An oracle that finds nothing is worth nothing.
func TestCheckFindsEveryMistake(t *testing.T) {
	t.Parallel()
	outside := newOutside(t)
	s := everything(t)
	perfect := finished(t, s, outside)
	if findings := Check(s, perfect); len(findings) > 0 {
		t.Fatalf("a perfect run of %+v is wrong: %v", s, findings)
	}
	for name, m := range mistakes(s) {
		t.Run(name, func(t *testing.T) {
			r := perfect.clone()
			m.make(&r)
			text := fmt.Sprint(Check(s, r))
			if !strings.Contains(text, m.want) {
				t.Errorf("findings = %v, want %q", text, m.want)
			}
		})
	}
}

// everything is a workload in which there is something of each kind.
func everything(t *testing.T) Spec {
	t.Helper()
	for seed := range uint64(10_000) {
		s := Generate(seed, Needs{IDs: 600})
		has := map[Kind]bool{}
		for k := range s.Stages {
			has[s.Stages[k].Kind] = true
			has["poison"] = has["poison"] || s.Stages[k].Kind == Keyed && s.Stages[k].Poison > 0 && len(Reference(&s)[k].Poison[0]) > 1
		}
		if len(has) == 8 {
			return s
		}
	}
	t.Fatal("no such workload")
	return Spec{}
}

type mistake struct {
	want string
	make func(r *Result)
}

func mistakes(s Spec) map[string]mistake {
	of := map[Kind]string{}
	for _, stage := range s.Stages {
		of[stage.Kind] = stage.Name
	}
	lines := func(change func(lines []string) []string) func(r *Result) {
		return func(r *Result) {
			name := of[File]
			r.Files[name] = []byte(strings.Join(change(strings.SplitAfter(string(r.Files[name]), "\n")), ""))
		}
	}
	change := func(kind Kind, change func(state *Rich)) func(r *Result) {
		return func(r *Result) {
			for key, state := range r.States[of[kind]] {
				change(&state)
				r.States[of[kind]][key] = state
				return
			}
		}
	}
	return map[string]mistake{
		"a lost line":    {Lost, lines(func(l []string) []string { return append(l[:3:3], l[4:]...) })},
		"a lost tail":    {Lost, lines(func(l []string) []string { return l[:len(l)-3] })},
		"a doubled line": {Doubled, lines(func(l []string) []string { return append(l[:4:4], l[3:]...) })},
		"a moved line":   {Reordered, lines(func(l []string) []string { return append(append(l[1:len(l)-1:len(l)-1], l[0]), "") })},
		"a torn line":    {Wrong, lines(func(l []string) []string { l[3] = l[3][:5] + "\n"; return l })},
		"another random number": {Wrong, lines(func(l []string) []string {
			l[3] = strings.TrimSuffix(l[3], "\n")
			l[3] = l[3][:len(l[3])-1] + string('0'+(l[3][len(l[3])-1]-'0'+1)%10) + "\n"
			return l
		})},
		"a lost letter":             {Lost, func(r *Result) { r.Letters = r.Letters[1:] }},
		"a doubled letter":          {Doubled, func(r *Result) { r.Letters = append(r.Letters, r.Letters[0]) }},
		"another letter":            {Wrong, func(r *Result) { r.Letters[0].Value = []byte(`{"id":77,"path":1}`) }},
		"a letter of another stage": {Wrong, func(r *Result) { r.Letters[0].Stage = of[Source] }},
		"a lost state": {Lost, func(r *Result) {
			for key := range r.States[of[Keyed]] {
				delete(r.States[of[Keyed]], key)
				return
			}
		}},
		"another state":            {Wrong, change(Keyed, func(state *Rich) { state.Out[0].Random++ })},
		"an item twice in a state": {Doubled, change(Keyed, func(state *Rich) { state.In[0].N++ })},
		"another item in a state":  {Wrong, change(Pass, func(state *Rich) { state.In[0].Sum++ })},
		"an item that is held":     {Lost, change(Window, func(state *Rich) { state.Held = []Item{{}} })},
		"a count behind":           {Lost, change(Count, func(state *Rich) { state.In[0].N-- })},
		"a lost publication":       {Lost, func(r *Result) { r.Published[of[Publish]] = r.Published[of[Publish]][1:] }},
		"another publication again": {Wrong, func(r *Result) {
			again := r.Published[of[Publish]][0]
			again.Item.Random++
			r.Published[of[Publish]] = append(r.Published[of[Publish]], again)
		}},
	}
}

// clone copies what mistakes change.
func (r Result) clone() Result {
	c := r
	c.States, c.Files, c.Published = map[string]map[string]Rich{}, map[string][]byte{}, map[string][]Published{}
	for stage, states := range r.States {
		c.States[stage] = map[string]Rich{}
		for key, state := range states {
			c.States[stage][key] = state
		}
	}
	for stage, file := range r.Files {
		c.Files[stage] = append([]byte(nil), file...)
	}
	for stage, list := range r.Published {
		c.Published[stage] = append([]Published(nil), list...)
	}
	c.Letters = append(c.Letters[:0:0], r.Letters...)
	return c
}

func TestPublishedAgainIsOne(t *testing.T) {
	t.Parallel()
	s := Spec{Stages: []Stage{{Name: "source0", Kind: Source, IDs: 2}, {Name: "publish1", Kind: Publish, Inputs: []Input{{}}}}}
	var r Result
	var written Flow
	for k := range uint64(2) {
		i := Item{Token{k, 0}.child(0, 0, 0), "", k + 1, 5}
		written.add(i)
		r.Published = map[string][]Published{"publish1": append(r.Published["publish1"], Published{fmt.Sprint(k), i})}
	}
	r.Published["publish1"] = append(r.Published["publish1"], r.Published["publish1"]...)
	r.States = map[string]map[string]Rich{
		"source0":  {"": {Plain: Plain{Out: [maxDestinations]Flow{written}}}},
		"publish1": {"": {Plain: Plain{In: [maxInputs]Flow{written}}}},
	}
	if findings := Check(s, r); len(findings) > 0 {
		t.Errorf("published again, but with the same ids: %v", findings)
	}
}

func TestTakeNoticesOrder(t *testing.T) {
	t.Parallel()
	for _, a := range []account{&Plain{}, &Rich{}} {
		for n, want := range []string{"", "", "doubled", "reordered"} {
			err := take(a, 1, Item{Seq: []uint64{1, 3, 3, 2}[n]}, "x")
			if got := fmt.Sprint(err); (err == nil) != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%T: item %d: %v, want %q", a, n, err, want)
			}
			var order *OrderError
			if err != nil && !errors.As(err, &order) {
				t.Errorf("%T: %T is no OrderError", a, err)
			}
		}
	}
}

func TestLineRoundTrip(t *testing.T) {
	t.Parallel()
	for _, want := range []Item{{Token{1, 1<<64 - 1}, "", 2, 3}, {Token{}, "k07", 1 << 63, 0}} {
		line := strings.TrimSuffix(string(AppendLine(nil, want)), "\n")
		if got, err := ParseLine(line); err != nil || got != want {
			t.Errorf("parsed %+v, %v; want %+v", got, err, want)
		}
	}
}
