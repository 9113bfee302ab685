package argsfile

import "testing"

// If this fails, the file has another form: give it the next number (format.Arguments), and read this one too.
func TestTheFormOfTheArgumentsStaysTheSame(t *testing.T) {
	t.Parallel()
	const want = `{"format":2,"arguments":["run","--rate=1ms"],"sum":"03009087"}` + "\n"
	if got := string(Encode([]byte(`["run","--rate=1ms"]`))); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
