package where

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Who waits in vain is told which process it was, and how one that is suspended goes on.
func TestASilentProcessIsNamed(t *testing.T) {
	t.Parallel()
	locked, away := errors.New("d is locked by process 12"), fmt.Errorf("silent for 10s: %w", os.ErrDeadlineExceeded)
	err := WithHolder(away, locked)
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "process 12") || !strings.Contains(err.Error(), "kill -CONT") {
		t.Error(err)
	}
	other := errors.New("no pipeline")
	if WithHolder(other, locked) != other || WithHolder(nil, locked) != nil {
		t.Error("an error of another kind, or none, is changed")
	}
}
