package doctor

import (
	"fmt"
	"syscall"
	"testing"
)

// What the operating system refuses to read is neither damaged nor sound.
func TestARefusalIsNoDamage(t *testing.T) {
	t.Parallel()
	l := &inspection{}
	if err := l.damagedTables([]error{fmt.Errorf("table 1: %w", syscall.EIO)}); err == nil || l.isWrong() {
		t.Errorf("error %v, findings %v", err, l.sorted())
	}
	if err := l.damagedTables([]error{fmt.Errorf("table 1: the checksum does not match")}); err != nil || !l.isWrong() {
		t.Errorf("error %v, findings %v", err, l.sorted())
	}
}
