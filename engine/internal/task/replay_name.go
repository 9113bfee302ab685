package task

// letterOf names the dead letter whose message comes back at an offset of the replays: "" if it is not known.
func (r *replays) letterOf(offset uint64) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	request, isKnown := r.requests[offset]
	if !isKnown {
		return ""
	}
	return request.Letter.ID()
}

// nameOf is what people read of a message that failed. Of one that comes back it is the letter, not the request.
func (t *Task) nameOf(f *Failure) string {
	if i := t.Input(f.Stream); i != nil {
		return i.nameAt(f.offset)
	}
	return f.Unit
}

// nameAt is what people read of the message at an offset.
func (i *Input) nameAt(offset uint64) string {
	if i.Replays != nil {
		if letter := i.Replays.letterOf(offset); letter != "" {
			return "of the dead letter " + letter
		}
	}
	return i.Message(offset)
}
