// Package hostile has texts of an attacker, for tests of what people are shown.
package hostile
