package wordcount

import "iter"

// words yields the runs of bytes that are not ASCII white space.
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i := range len(text) {
			if !isSpace(text[i]) {
				continue
			}
			if start < i && !yield(text[start:i]) {
				return
			}
			start = i + 1
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// isSpace is C's isspace in the C locale.
func isSpace(b byte) bool { return b == ' ' || '\t' <= b && b <= '\r' }
