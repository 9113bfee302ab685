package connector

import (
	"fmt"
	"reflect"
	"strings"
)

// Setting is one thing that can be set.
type Setting struct {
	Name    string // of the Go field; those of an embedded or nested struct are "NATS.URL"
	Doc     string
	Default string // "": it is required, or has none
	Unit    string // "" if it has none
	Secret  bool   // its value is shown nowhere
}

// concealment stands for a secret.
const concealment = "…"

// Settings reads those of a struct from the tags of its fields:
//
//	URL      string `doc:"address of the server" secret:"login"`
//	Prefetch int    `doc:"messages that are read ahead" default:"500" unit:"messages"`
//
// A field without doc is left out. A field of a struct type without doc is looked into. secret is "value", or "login"
// where only a user, a password or a token within a URL is one.
func Settings(config any) (list []Setting) {
	eachField(reflect.ValueOf(config), "", func(name string, field reflect.StructField, _ reflect.Value) {
		list = append(list, Setting{
			Name: name, Doc: field.Tag.Get("doc"), Default: field.Tag.Get("default"), Unit: field.Tag.Get("unit"),
			Secret: field.Tag.Get("secret") != "",
		})
	})
	return list
}

// Secrets are the values of a configuration that may not be shown.
func Secrets(config any) (list []string) {
	eachField(reflect.ValueOf(config), "", func(_ string, field reflect.StructField, value reflect.Value) {
		if value.Kind() != reflect.String || value.Len() == 0 {
			return
		}
		switch field.Tag.Get("secret") {
		case "value":
			list = append(list, value.String())
		case "login":
			list = append(list, logins(value.String())...)
		}
	})
	return list
}

func eachField(v reflect.Value, within string, fn func(name string, field reflect.StructField, value reflect.Value)) {
	for k := range v.NumField() {
		field := v.Type().Field(k)
		name := within + field.Name
		switch {
		case !field.IsExported():
		case field.Tag.Get("doc") != "":
			fn(name, field, v.Field(k))
		case field.Type.Kind() == reflect.Struct:
			eachField(v.Field(k), name+".", fn)
		}
	}
}

// logins are what stands between the scheme and the host of each URL in a list, and the password alone.
func logins(list string) (found []string) {
	for text := range strings.SplitSeq(list, ",") {
		if _, after, is := strings.Cut(text, "://"); is {
			text = after
		}
		at := strings.LastIndexByte(text, '@')
		if at <= 0 {
			continue
		}
		login := text[:at]
		found = append(found, login)
		if _, password, is := strings.Cut(login, ":"); is && password != "" {
			found = append(found, password)
		}
	}
	return found
}

// Hide replaces the secrets in the text of an error, whatever has put them there. What the error wraps stays.
func Hide(err error, secrets []string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := HideText(text, secrets)
	if clean == text {
		return err
	}
	return &concealed{err, clean}
}

// HideText replaces the secrets in a text.
func HideText(text string, secrets []string) string {
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, concealment)
	}
	return text
}

// concealed is an error with another text.
type concealed struct {
	err  error
	text string
}

func (c *concealed) Error() string { return c.text }
func (c *concealed) Unwrap() error { return c.err }

// Describe is the settings as a table for people, a line each.
func Describe(a About) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s. %s\n", a.Name, a.Guarantee, a.Says)
	for _, s := range a.Settings {
		fmt.Fprintf(&b, "  %-24s %s", s.Name, s.Doc)
		switch {
		case s.Default != "" && s.Unit != "":
			fmt.Fprintf(&b, " (default %s %s)", s.Default, s.Unit)
		case s.Default != "":
			fmt.Fprintf(&b, " (default %s)", s.Default)
		}
		if s.Secret {
			b.WriteString(" (secret)")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
