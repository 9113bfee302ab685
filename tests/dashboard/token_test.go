package dashboard

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"penstock/telemetry"
)

// A server with a token asks for it, again when it is wrong, and then shows all.
func TestToken(t *testing.T) {
	const token = "a token that nobody guesses"
	b := open(t, serve(t, endless(), telemetry.Config{Token: token}).url, desktop)
	b.excuse() // the answers without it are 401
	for _, given := range []string{"a wrong one", token} {
		b.until("it asks", `document.querySelector("#confirm[open] input")?.value === ""`)
		b.do(`document.querySelector("#confirm input").focus()`)
		b.press(given, kb.Enter)
	}
	b.drawn()
	b.click(`[id="stage-worker"]`)
	b.click("#panel button", "Restart")
	b.click("#confirm button.danger")
	if eval[bool](b, `document.querySelector("#drain").hidden`) {
		t.Error("what the server offers was not asked for again with the token")
	}
	b.until("an action", `document.querySelector("#panel .events").textContent.includes("restarting")`)
}
