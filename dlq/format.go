package dlq

import (
	"errors"
	"fmt"
	"strconv"

	"penstock/internal/format"
)

// isUnreadable says that this build cannot read a stored message, whatever others can.
func isUnreadable(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewerVersion)
}

// checkFormat says whether this build reads letters of a format.
func checkFormat(text string) error {
	if text == "" {
		return fmt.Errorf("it has no header %s: another program published it", headerFormat)
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return fmt.Errorf("header %s is %q, which is not a format number", headerFormat, text)
	}
	if n > format.Letter {
		return format.Newer("it", n, format.Letter)
	}
	return nil
}
