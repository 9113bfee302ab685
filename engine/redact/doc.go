// Package redact hides credentials in text that people are shown: errors of stages, health reports, logs. [Text] is all
// of it.
//
// It takes for a credential only what is in a URL, or has a user and a password: "mail a@b" stays as it is. Package
// broker knows that its text is about a server, so it also hides a bare token before an @.
package redact
