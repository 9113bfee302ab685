// Package redact hides credentials in text that people are shown: errors of
// stages, health reports, logs. [Text] is all of it.
//
// It takes for a credential only what stands in a URL, or has a user and a
// password: "mail a@b" stays as it is. Package broker, which knows that its
// text is about a server, hides a bare token before an @ as well.
package redact
