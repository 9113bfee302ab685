package dashboard

import (
	"testing"

	"penstock/telemetry"
)

// A dead letter is found, looked at and replayed by clicks; another one discarded,
// which asks first.
func TestDeadLetters(t *testing.T) {
	o := newOrders()
	s := serve(t, o.Pipeline, telemetry.Config{})
	b := open(t, s.url, desktop)
	b.drawn()
	b.view("letters")
	b.until("none so far", `document.querySelector(".letters .empty:not([hidden])")`)
	for _, name := range []string{"spoons", "forks", "knives"} {
		o.next <- order{Name: name, Bad: true, Key: "key of " + name}
	}
	b.until("three letters, by themselves", `document.querySelectorAll(".letters tbody tr").length === 3`)
	b.do(`document.querySelector(".letters input").focus()`)
	b.press("f", "o", "r", "k")
	b.until("one of them", `document.querySelectorAll(".letters tbody tr").length === 1`)
	b.click(".letters tbody tr", "forks")
	b.until("what is in it", `(() => { const said = document.querySelector(".letter").textContent; return said.includes("refused: forks") && said.includes('"name": "forks"') && said.includes("key of forks"); })()`)

	shipped := s.stage("ship").In
	o.mended.Store(true)
	b.click(".letter button", "Replay")
	b.until("it is gone", `document.querySelectorAll(".letters tbody tr").length === 0 && document.querySelector("#notice").textContent.includes("sent to be handled again")`)
	wait(t, "its effect", func() bool { return s.stage("ship").In > shipped && s.letters(t) == 2 })

	b.do(`(() => { const input = document.querySelector(".letters input"); input.value = "spoons"; input.dispatchEvent(new Event("input")); })()`)
	b.click(".letters tbody tr", "spoons")
	b.click(".letter button", "Discard")
	b.click("#confirm button", "Cancel")
	if n := s.letters(t); n != 2 {
		t.Fatalf("%d letters: discarded without a yes", n)
	}
	b.click(".letter button", "Discard")
	b.until("the question says what for", `document.querySelector("#confirm").textContent.includes("gone for good")`)
	b.click("#confirm button", "Discard")
	wait(t, "one is left", func() bool { return s.letters(t) == 1 })

	b.do(`(() => { const input = document.querySelector(".letters input"); input.value = ""; input.dispatchEvent(new Event("input")); })()`)
	b.until("the last one", `document.querySelectorAll(".letters tbody tr").length === 1`)
	b.click(".letters .toolbar button", "Replay these")
	b.click("#confirm button.danger")
	wait(t, "none is left", func() bool { return s.letters(t) == 0 })
}
