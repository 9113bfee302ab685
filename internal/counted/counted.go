package counted

import "strconv"

// Number writes thousands apart: 1,234,567.
func Number[N ~int | ~uint64](n N) string {
	text := strconv.FormatUint(uint64(n), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Things counts what has a plural with s: 1 dead letter, 2 dead letters. n must not be negative.
func Things[N ~int | ~uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Number(n) + " " + thing + "s"
}
