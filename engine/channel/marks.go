package channel

// mark is a message that was not acknowledged yet.
type mark struct {
	sequence uint64
	reply    string // where to acknowledge it; "" when its consumer is gone
	swallow  bool   // it was not delivered, so it will not be acknowledged
}

const maxMarks = 1 << 16

// marks are the messages to acknowledge, in order. Since one acknowledgement includes all before it, a run of swallowed
// messages is one mark.
type marks struct{ list []mark }

func (m *marks) add(n mark) {
	if last := len(m.list) - 1; last >= 0 {
		before := &m.list[last]
		switch {
		case n.sequence < before.sequence:
			return // delivered again
		case n.sequence == before.sequence:
			before.reply = n.reply
			return
		case n.swallow && before.swallow:
			*before = n
			return
		}
	}
	if len(m.list) == maxMarks { // no acknowledgements: keep the newer half, which includes the older
		m.list = append(m.list[:0], m.list[maxMarks/2:]...)
	}
	m.list = append(m.list, n)
}

// upTo removes what is taken when everything through sequence is, and returns where to say so: "" for nowhere.
func (m *marks) upTo(sequence uint64) (reply string) {
	n := 0
	for n < len(m.list) && (m.list[n].sequence <= sequence || m.list[n].swallow) {
		if m.list[n].reply != "" {
			reply = m.list[n].reply
		}
		n++
	}
	if m.list = m.list[n:]; len(m.list) == 0 {
		m.list = nil
	}
	return reply
}

// orphan keeps the order of what is open, but not how to acknowledge it: the next consumer counts anew.
func (m *marks) orphan() {
	for i := range m.list {
		m.list[i].reply = ""
	}
}
