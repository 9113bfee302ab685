package redact

import "regexp"

// userInfo is what stands before the host of a URL, or of an address that may
// do without nats://. Up to the last @ before the next comma or space: a
// password with a / or @ in it is malformed, and secret all the same.
var userInfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s,"]+@|[^\s,":]+:[^\s,"]+@`)

// Text hides user, password and token of every URL in a text. What is not part
// of a URL stays, an address of mail for one.
func Text(text string) string {
	return userInfo.ReplaceAllString(text, "${1}…@")
}
