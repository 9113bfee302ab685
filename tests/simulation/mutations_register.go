package main

// registerMutations are what protects the take-over of an instance: those of package rule, and more.
var registerMutations = []mutation{
	{name: "claiming", what: "a new owner enters itself in the register"},
	{name: "seal-expectation", what: "a seal is stored only while its claim is the newest"},
	{name: "seal-before-read", what: "a new owner reads behind its seal"},

	{"seal-once", "a seal without an answer is not sent again: the claim is repeated", edits{{
		"engine/internal/register/takeover.go", `	for t.Seal == 0 {
		if err := c.claim(ctx, t); err != nil {
			return err
		}`, `	for t.Seal == 0 {
		if mutated("seal-once") && t.Claim != 0 {
		} else if err := c.claim(ctx, t); err != nil {
			return err
		}`,
	}}},
	{"epoch", "the epoch of a claim is above those of all entries", edits{{
		"engine/internal/register/takeover.go", `	if found {
		t.Epoch = max(`, `	if found && !mutated("epoch") {
		t.Epoch = max(`,
	}}},
	{"seen", "a seal behind another one repeats what that has seen", edits{{
		"engine/internal/register/takeover.go", `	case last.Frame.Kind == frame.KindSeal:`, `	case last.Frame.Kind == frame.KindSeal && !mutated("seen"):`,
	}}},
	{"fence-expects-seal", "a fence expects the seal of its claim", edits{{
		"engine/internal/register/takeover.go", `	expected := t.Seal
`, `	expected := t.Seal
	if last, found, err := c.Log.End(ctx); mutated("fence-expects-seal") && err == nil && found {
		expected = last.Tail
	}
`,
	}}},
	{"copies", "a copy of the own seal does not hide what was committed before it", edits{{
		"engine/internal/register/log.go", `last.Sequence <= known || t.IsReplacedBy(last.Frame) {`, `last.Sequence <= known || t.IsReplacedBy(last.Frame) || mutated("copies") {`,
	}}},
	{"claim-loses", "a claimant gives way to a newer claim", edits{{
		"engine/internal/register/takeover.go", `	if found && t.Claim != 0 && newest.Frame.Owner != c.Owner && newest.Frame.Epoch >= t.Epoch {`, `	if found && t.Claim != 0 && newest.Frame.Owner != c.Owner && newest.Frame.Epoch >= t.Epoch && !mutated("claim-loses") {`,
	}}},
	{"refresh", "the newest entry stays in a trim", edits{{
		"engine/internal/memory/stream.go", `	if newest, found, _ := s.Newest(); found {`, `	if newest, found, _ := s.Newest(); found && !mutated("refresh") {`,
	}}},
}
