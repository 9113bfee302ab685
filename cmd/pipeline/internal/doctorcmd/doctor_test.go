package doctorcmd

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/words"
	"penstock/engine/doctor"
	"penstock/engine/remedy"
	"penstock/internal/testing/hostile"
)

var hints = words.Hints{Program: "orders", Where: " --dir d", Keys: " --frame-key-file k"}

// written is what people read of a diagnosis.
func written(t *testing.T, d Diagnosis) string {
	t.Helper()
	var text bytes.Buffer
	if err := d.write(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestTheAdviceIsACommandThatHelps(t *testing.T) {
	t.Parallel()
	wrong := []doctor.Finding{{Wrong: true, Part: "in-flight file", Text: "it cannot be read"}}
	for name, c := range map[string]struct {
		d           Diagnosis
		want, never []string
	}{
		"sound":        {Diagnosis{Examination: &doctor.Examination{Sound: true}}, []string{"Nothing is wrong.\n"}, []string{"orders"}},
		"running":      {Diagnosis{Examination: &doctor.Examination{Pipeline: "p", Findings: wrong, Mendable: true}, Running: true}, []string{"WRONG", "Stop the pipeline", "orders doctor --dir d --frame-key-file k", "are not checked"}, []string{"orders repair"}},
		"mendable":     {Diagnosis{Examination: &doctor.Examination{Findings: wrong, Mendable: true, Steps: []string{"remove it"}}}, []string{"orders repair --dir d --frame-key-file k", "makes a copy", "\n  - remove it"}, []string{"--fresh"}},
		"not mendable": {Diagnosis{Examination: &doctor.Examination{Pipeline: "p", Findings: wrong}}, []string{"cannot be repaired without guessing", "orders run p --dir d --fresh"}, []string{"orders repair"}},
		"of no name":   {Diagnosis{Examination: &doctor.Examination{Findings: wrong}}, []string{"orders run PIPELINE --dir d --fresh"}, nil},
		"only notes":   {Diagnosis{Examination: &doctor.Examination{Sound: true, Findings: []doctor.Finding{{Part: "a", Text: "b"}}}}, []string{"note       a: b", "Nothing is wrong."}, []string{"WRONG"}},
	} {
		c.d.advise(hints)
		got := written(t, c.d)
		for _, part := range c.want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q is not in\n%s", name, part, got)
			}
		}
		for _, part := range c.never {
			if strings.Contains(got, part) {
				t.Errorf("%s: %q is in\n%s", name, part, got)
			}
		}
	}
}

func TestADiagnosisSteersNoTerminal(t *testing.T) {
	t.Parallel()
	found := &doctor.Examination{
		Dir: hostile.Text, Pipeline: hostile.Text, Checked: []string{hostile.Text}, Mendable: true, Steps: []string{hostile.Text},
		Findings: []doctor.Finding{{Wrong: true, Part: hostile.Text, Text: hostile.Text}},
	}
	d := Diagnosis{Examination: found}
	d.advise(hints)
	var data bytes.Buffer
	if err := d.writeJSON(&data); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{written(t, d), data.String()} {
		if strings.ContainsAny(text, "\x1b\a\x00\u2028") || strings.Contains(text, "\nlevel=ERROR") {
			t.Errorf("it steers a terminal: %q", text)
		}
	}
	d.Mendable = false
	d.advise(hints)
	if strings.ContainsAny(d.Advice, "\x1b\a\x00") {
		t.Errorf("the advice steers a terminal: %q", d.Advice)
	}
	var back Diagnosis
	if err := json.Unmarshal(data.Bytes(), &back); err != nil || back.Examination == nil || len(back.Findings) != 1 || !back.Findings[0].Wrong {
		t.Errorf("the JSON is %+v, %v", back, err)
	}
}

func TestFindingsAreInTheWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	discard := remedy.DiscardLetter.For("a:1")
	found := &doctor.Examination{
		Findings: []doctor.Finding{
			{Text: remedy.Errorf("start over with %v", remedy.Fresh).Error()},
			{Text: remedy.Errorf("discard with %v", discard).Error(), Remedies: []remedy.Remedy{discard}},
		},
		Steps: []string{remedy.Errorf("see %v", remedy.ReplayLetters).Error()},
	}
	library := *found
	library.Findings = append([]doctor.Finding(nil), found.Findings...)
	data, err := json.Marshal(found) // as the process sends it that runs the pipeline
	if err == nil {
		found = &doctor.Examination{}
		err = json.Unmarshal(data, found)
	}
	if err != nil {
		t.Fatal(err)
	}
	sayFindings(hints, found)
	if got := found.Findings[1]; got.Text != "discard with orders dlq discard a:1 --dir d" || got.Remedies != nil {
		t.Errorf("%q is said as %q, %v", library.Findings[1].Text, got.Text, got.Remedies)
	}
	if got := found.Findings[0].Text; got != "start over with --fresh" {
		t.Errorf("%q is said as %q", library.Findings[0].Text, got)
	}
	if got := found.Steps[0]; got != "see orders dlq replay --all --dir d" {
		t.Errorf("the step is said as %q", got)
	}
}
