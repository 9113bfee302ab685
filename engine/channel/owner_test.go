package channel

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"penstock/internal/format"
)

func TestAStreamTellsOfItsRun(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	s := spec()
	s.Owner = OwnerAt("/a", []string{"--beats 5"})
	mustOwn := func(c *Channel, want Owner) {
		t.Helper()
		if o, err := c.Owner(); err != nil || o.encode() != want.encode() {
			t.Errorf("%+v, %v, want %+v", o, err, want)
		}
	}
	c := openChannel(t, b, s)
	mustOwn(c, s.Owner)
	next := OwnerAt("/b", []string{"--beats 6"})
	if err := c.Own(testContext(t), next); err != nil {
		t.Fatal(err)
	}
	mustOwn(c, next)
	if changed, err := c.Restore(testContext(t)); changed || err != nil { // the first owner still looks at its settings
		t.Errorf("Restore: %v, %v", changed, err)
	}
	mustOwn(c, next)
	s.Identity = "id-2"
	_, err := Open(testContext(t), b, s)
	wantError(t, err, ErrForeign, "/b on host ")

	edit := func(text string) {
		cfg := c.mustStream(t).CachedInfo().Config
		cfg.Metadata[metaOwner] = text
		if _, err := b.JetStream().UpdateStream(testContext(t), cfg); err != nil {
			t.Fatal(err)
		}
	}
	look := func() (Owner, error) {
		found, _, err := Lookup(testContext(t), b, "fizzbuzz", "generator")
		if err != nil {
			t.Fatal(err)
		}
		return found.Owner()
	}
	for _, strange := range []string{"", "no JSON", "{}", `{"format":1}`, `{"format":1,"sum":5}`} {
		edit(strange)
		if o, err := look(); err != nil || o.IsKnown() {
			t.Errorf("%q: %+v, %v", strange, o, err)
		}
	}
	edit(`{"format":2,"host":{}}`)
	if _, err := look(); !errors.Is(err, format.ErrNewer) {
		t.Errorf("of a newer version: %v", err)
	}
}

func TestAnOwnerIsBoundedAndSafeToShow(t *testing.T) {
	t.Parallel()
	list := make([]string, 2_000)
	for i := range list {
		list[i] = "FILE \x1b[31m\xff" + strings.Repeat("x", i%300)
	}
	long := OwnerAt("/a\x1b\n"+strings.Repeat("d", 100_000), list)
	if n := len(long.encode()); n > 64<<10 {
		t.Errorf("%d bytes", n)
	}
	list[len(list)-1] += "y"
	other := OwnerAt("/b", list)
	before, after := long.Differences(other)
	if !long.HasOther(other) || before != after || !strings.Contains(before, "behind the first") {
		t.Errorf("%q, %q", before, after)
	}
	before, _ = long.Differences(OwnerAt("/b", nil))
	for _, text := range []string{before, long.Place()} {
		if strings.ContainsAny(text, "\x1b\n") || !utf8.ValidString(text) || len(text) > 2<<10 {
			t.Errorf("%q", text)
		}
	}
	secret := OwnerAt("/a", []string{"--from https://u:old@h/x"})
	if strings.Contains(secret.encode(), "old") || secret.HasOther(OwnerAt("/a", []string{"--from https://u:new@h/x"})) {
		t.Errorf("the password counts: %s", secret.encode())
	}
	if (Owner{}).HasOther(secret) || !OwnerAt("/a", nil).HasOther(secret) || OwnerAt("/a", []string{"a", "b"}).Sum == OwnerAt("/a", []string{"ab"}).Sum {
		t.Error("wrong comparison")
	}
}
