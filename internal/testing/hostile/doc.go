// Package hostile has text that an attacker gets into what people are shown.
package hostile
