//go:build linux && penstock_mutation

package main

import (
	"bytes"
	"testing"
)

// The oracle is worth something only if it notices each rule that is missing.
func TestEveryMissingRuleIsNoticed(t *testing.T) {
	var out bytes.Buffer
	code, err := command(t.Context(), []string{"-mutations", "-cycles", "80", "-patience", "10s", "-dir", t.TempDir()}, &out)
	if err != nil || code != 0 {
		t.Errorf("code %d, %v", code, err)
	}
	t.Log("\n" + out.String())
}
