package frame

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
)

// bodyOf puts a header and a checksum that fit around a body.
func bodyOf(flags byte, body []byte) []byte { return bodyAs(versionPlain, flags, body) }

func bodyAs(version, flags byte, body []byte) []byte {
	data := append([]byte(magic), version, flags)
	data = append(data, body...)
	return binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

func TestEveryDamageIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []Compression{None, S2} {
		checkEveryDamage(t, c, encode(t, typical(8, 32), c))
		checkEveryDamage(t, c, encode(t, extended(), c))
	}
}

func checkEveryDamage(t *testing.T, c Compression, data []byte) {
	t.Helper()
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			if _, err := Decode(data); err == nil {
				t.Fatalf("%v: bit %d of byte %d flipped: no error", c, bit, i)
			}
			data[i] ^= 1 << bit
		}
		if _, err := Decode(data[:i]); err == nil {
			t.Fatalf("%v: cut after %d of %d bytes: no error", c, i, len(data))
		}
	}
	if _, err := Decode(append(data, 0)); !errors.Is(err, ErrChecksum) {
		t.Errorf("%v: one byte more: error %v, want %v", c, err, ErrChecksum)
	}
}

func TestDecodeNamesTheReason(t *testing.T) {
	t.Parallel()
	var (
		good     = encode(t, typical(8, 32), None)
		headless = []byte{1, 1, 1, 0, 0, 0, 0} // owner, epoch, commit, steps, no inputs, no timers, no cursor
		section  = func(rest ...byte) []byte { return append(append(append([]byte{}, headless...), 0, 1, 0, 0), rest...) }
		block    = func(count byte, rows ...byte) []byte {
			return section(append([]byte{0, count, byte(len(rows))}, rows...)...)
		}
		body  = func(rest ...byte) []byte { return append(append([]byte{}, headless...), rest...) }
		other = func(at int, b byte) []byte {
			data := append([]byte{}, good...)
			data[at] = b
			return data
		}
		extra    = func(head []byte) []byte { return bodyAs(4, 0, append(head, 1, 1, 1, 0, 0, 0, 0, 0, 0)) }
		overflow = append(section(binary.AppendUvarint(nil, math.MaxUint64)...), 1, 3, 0, 0, 0)
		huge     = binary.AppendUvarint(nil, MaxSize+1)
	)
	for name, c := range map[string]struct {
		data []byte
		want error
		text string
	}{
		"nothing":               {nil, ErrTruncated, "0 bytes"},
		"header only":           {good[:9], ErrTruncated, "9 bytes"},
		"not a frame":           {[]byte("{\"value\": 17}"), ErrCorrupt, `begins with "{\"va"`},
		"other version":         {other(4, Version+1), ErrNewerVersion, "newer version of Penstock (format 5, this build reads up to 4): use that version"},
		"version 0":             {other(4, 0), ErrCorrupt, "no version 0"},
		"other byte":            {other(40, 0xff), ErrChecksum, "checksum"},
		"cut":                   {good[:len(good)-1], ErrChecksum, "checksum"},
		"beyond the limit":      {make([]byte, MaxSize+1), ErrTooLarge, "67108865 bytes"},
		"unknown flags":         {bodyOf(32, good[6:len(good)-4]), ErrCorrupt, "unknown flags 0x20"},
		"empty body":            {bodyOf(0, nil), ErrTruncated, "commit, byte 0"},
		"number too long":       {bodyOf(0, []byte{0x81, 0}), ErrCorrupt, "commit, byte 0"},
		"number beyond 64 bits": {bodyOf(0, []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 2}), ErrCorrupt, "commit"},
		"absurd inputs":         {bodyOf(0, []byte{1, 1, 1, 0, 200, 1}), ErrTruncated, "inputs"},
		"input cut":             {bodyOf(0, []byte{1, 1, 1, 0, 1, 9, 'a', 'b', 'c'}), ErrTruncated, "input 0, byte 6 of the body"},
		"instance too large":    {bodyOf(0, []byte{1, 1, 1, 0, 1, 0, 255, 255, 255, 255, 255, 1, 0, 0}), ErrCorrupt, "input 0"},
		"none waits":            {bodyOf(8, []byte{1, 1, 1, 0, 1, 0, 0, 7, 9, 0, 0, 0, 0}), ErrCorrupt, "has none"},
		"absurd waiting":        {bodyOf(8, []byte{1, 1, 1, 0, 1, 0, 0, 7, 9, 99, 1}), ErrTruncated, "input 0"},
		"waiting twice":         {bodyOf(8, []byte{1, 1, 1, 0, 1, 0, 0, 7, 9, 2, 5, 0}), ErrCorrupt, "[7 7] cannot wait within 7 to 12"},
		"waiting beyond":        {bodyOf(8, []byte{1, 1, 1, 0, 1, 0, 0, 7, 9, 2, 5, 5}), ErrCorrupt, "[7 12] cannot wait within 7 to 12"},
		"no counts":             {bodyOf(64, good[6:len(good)-4]), ErrCorrupt, "version 1 with flags 0x40"},
		"counts of nothing":     {bodyAs(3, 64, []byte{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}), ErrCorrupt, "tally, byte 9 of the body: corrupt: counts are announced, and there are none"},
		"counts out of order":   {bodyAs(3, 64, []byte{1, 1, 1, 0, 0, 0, 0, 0, 2, 1, 'b', 1, 1, 'a', 1, 0, 0}), ErrCorrupt, "out of order"},
		"a count of 0":          {bodyAs(3, 64, []byte{1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 'b', 0, 0, 0}), ErrCorrupt, "counts that are 0"},
		"absurd counts":         {bodyAs(3, 64, []byte{1, 1, 1, 0, 0, 0, 0, 1, 99, 1, 'b'}), ErrTruncated, "tally"},
		"version without count": {bodyAs(3, 0, good[6:len(good)-4]), ErrCorrupt, "version 3 with flags 0x0"},
		"no features":           {bodyAs(4, 0, []byte{0, 1, 1, 1, 0, 0, 0, 0, 0, 0}), ErrCorrupt, "features, byte 1 of the body: corrupt: a frame of version 4 cannot have features 0x0"},
		"unknown features":      {bodyAs(4, 0, []byte{128, 4}), ErrCorrupt, "cannot have features 0x200"},
		"counts in version 2":   {bodyAs(2, 64, good[6:len(good)-4]), ErrCorrupt, "version 2"},
		"unknown kind":          {extra([]byte{1, 6}), ErrCorrupt, "unknown kind 6"},
		"a kind of version 1":   {extra([]byte{1, 1}), ErrCorrupt, "announced and not used: kind"},
		"two kinds":             {bodyAs(4, 1, []byte{1, 3, 1, 1, 1, 0, 0, 0, 0, 0, 0}), ErrCorrupt, "a fence with another kind"},
		"no claim":              {extra([]byte{2, 0}), ErrCorrupt, "announced and not used: claim"},
		"seal without a claim":  {extra([]byte{1, 2}), ErrCorrupt, "a seal without a claim"},
		"seal with a step":      {bodyAs(4, 0, []byte{3, 2, 7, 9, 1, 1, 1, 1, 0, 0, 0, 0, 0}), ErrCorrupt, "a seal with something of a commit"},
		"seal with a state":     {bodyAs(4, 0, []byte{3, 2, 7, 9, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0}), ErrCorrupt, "a seal with something of a commit"},
		"no run, no layout":     {extra([]byte{12, 0, 0}), ErrCorrupt, "announced and not used: run, layout"},
		"no watermark":          {extra([]byte{16, 0}), ErrCorrupt, "announced and not used: watermark"},
		"watermark cut":         {bodyAs(4, 0, []byte{16}), ErrTruncated, "features"},
		"watermark flags":       {extra([]byte{16, 4}), ErrCorrupt, "unknown flags 0x4 of a watermark"},
		"no input watermark":    {extra([]byte{32}), ErrCorrupt, "announced and not used: watermarks of inputs"},
		"no notes":              {bodyAs(4, 0, []byte{64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0}), ErrCorrupt, "announced and not used: notes"},
		"absurd notes":          {bodyAs(4, 0, []byte{64, 1, 1, 1, 0, 0, 0, 0, 99, 0, 0}), ErrTruncated, "notes"},
		"notes out of order":    {bodyAs(4, 0, []byte{64, 1, 1, 1, 0, 0, 0, 0, 2, 1, 'b', 1, 1, 'a', 1, 0, 0}), ErrCorrupt, "do not ascend"},
		"operation of a note":   {bodyAs(4, 0, []byte{64, 1, 1, 1, 0, 0, 0, 0, 1, 1, 'b', 2, 0, 0}), ErrCorrupt, "note 0, byte 12 of the body: corrupt: unknown operation 2"},
		"no space":              {bodyAs(4, 0, []byte{128, 1, 1, 1, 1, 0, 0, 0, 0, 2, 1, 0, 0, 1, 0}), ErrCorrupt, "announced and not used: spaces of keys"},
		"no timer":              {bodyAs(4, 0, []byte{128, 2, 1, 1, 1, 0, 0, 0, 0, 2, 1, 0, 0, 1, 0}), ErrCorrupt, "announced and not used: timers of keys"},
		"absurd key timers":     {bodyAs(4, 0, []byte{128, 2, 1, 1, 1, 0, 0, 0, 0, 2, 1, 0, 99, 1, 0}), ErrTruncated, "state change 0"},
		"key timers disordered": {bodyAs(4, 0, []byte{128, 2, 1, 1, 1, 0, 0, 0, 0, 2, 1, 0, 2, 1, 'a', 2, 1, 'a', 2, 1, 0}), ErrCorrupt, "timers out of order"},
		"absurd timers":         {bodyOf(0, []byte{1, 1, 1, 0, 0, 9, 0}), ErrTruncated, "timers"},
		"unknown state":         {bodyOf(0, body(3, 0)), ErrCorrupt, "state, byte 8 of the body: corrupt: unknown kind 3"},
		"state cut":             {bodyOf(0, body(1, 9, 'a')), ErrTruncated, "state"},
		"absurd changes":        {bodyOf(0, body(2, 9, 'a')), ErrTruncated, "9 entries announced"},
		"unknown operation":     {bodyOf(0, body(2, 1, 0, 2, 0)), ErrCorrupt, "state change 0, byte 11 of the body: corrupt: unknown operation 2"},
		"absurd sections":       {bodyOf(0, body(0, 2, 0, 0, 0, 0, 0)), ErrTruncated, "sections"},
		"offsets overflow":      {bodyOf(0, overflow), ErrCorrupt, "section 0"},
		"messages missing":      {bodyOf(0, block(2, 0, 0, 0)), ErrTruncated, "section 0, message 1: truncated: 2 messages announced"},
		"messages too many":     {bodyOf(0, block(1, 0, 0, 0, 0, 0, 0)), ErrCorrupt, "section 0, end: corrupt: 3 bytes follow message 1"},
		"message flags":         {bodyOf(0, block(1, 2, 0, 0)), ErrCorrupt, "message 0: corrupt: unknown flags 0x2"},
		"message time":          {bodyOf(0, block(1, 0, 0x80, 0)), ErrCorrupt, "message 0, time"},
		"message key cut":       {bodyOf(0, block(1, 1, 0, 5, 'a')), ErrTruncated, "message 0, key"},
		"message value cut":     {bodyOf(0, block(1, 0, 0, 2, 'a')), ErrTruncated, "message 0, value: truncated: 2 bytes wanted, 1 left"},
		"message without value": {bodyOf(0, block(1, 0, 0)), ErrTruncated, "message 0, value"},
		"bytes after the end":   {bodyOf(0, body(0, 0, 0)), ErrCorrupt, "1 bytes follow the last section"},
		"s2 without length":     {bodyOf(flagCompressed, nil), ErrCorrupt, "compressed body"},
		"s2 bomb":               {bodyOf(flagCompressed, append(huge, 0, 0)), ErrTooLarge, "67108865 bytes"},
		"s2 length wrong":       {bodyOf(flagCompressed, append([]byte{99}, s2.Encode(nil, body(0, 0))[1:]...)), ErrCorrupt, "compressed body"},
	} {
		for _, decode := range []func([]byte) (*Frame, error){Decode, DecodeOutputs} {
			f, err := decode(c.data)
			if f != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: frame %v, error %q; want %q with %q", name, f, err, c.want, c.text)
			}
		}
	}
}

// What an input announces but does not hold is not allocated.
func TestAbsurdCountsAllocateNothing(t *testing.T) {
	body := func(parts ...[]byte) []byte {
		var b []byte
		for _, p := range parts {
			b = append(b, p...)
		}
		return bodyOf(0, b)
	}
	absurd := binary.AppendUvarint(nil, 1<<40)
	for name, data := range map[string][]byte{
		"inputs":   body([]byte{8, 1, 1, 0}, absurd),
		"timers":   body([]byte{8, 1, 1, 0, 0}, absurd),
		"cursor":   body([]byte{8, 1, 1, 0, 0, 0}, absurd),
		"whole":    body([]byte{8, 1, 1, 0, 0, 0, 0, 1}, absurd),
		"changes":  body([]byte{8, 1, 1, 0, 0, 0, 0, 2}, absurd),
		"sections": body([]byte{8, 1, 1, 0, 0, 0, 0, 0}, absurd),
		"notes":    bodyAs(4, 0, append([]byte{64, 8, 1, 1, 0, 0, 0, 0}, absurd...)),
		"due":      bodyAs(4, 0, append([]byte{128, 2, 8, 1, 1, 0, 0, 0, 0, 2, 1, 0}, absurd...)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(data)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes allocated for %d bytes of input", name, n, len(data))
		}
	}
}

// FuzzDecode also walks what Decode accepted: the check and the iterator know the format separately.
func FuzzDecode(f *testing.F) {
	for _, frame := range []*Frame{{}, {Epoch: 2, Commit: 9, Kind: KindFence}, typical(3, 16), noisy(2, 40), golden(), extended(), sealing()} {
		for _, c := range []Compression{None, S2} {
			f.Add(encode(f, frame, c))
		}
	}
	f.Add([]byte{})
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkDecoded(t, data)
		if len(data) > headerSize+trailerSize { // the same with a checksum that fits, or it would all end there
			checkDecoded(t, bodyOf(data[flagsAt]&flagsKnown, data[headerSize:len(data)-trailerSize]))
			checkDecoded(t, bodyAs(versionExtended, data[flagsAt]&flagsKnown, data[headerSize:len(data)-trailerSize]))
		}
	})
}

func checkDecoded(t *testing.T, data []byte) {
	f, err := Decode(data)
	if err != nil {
		known := false
		for _, kind := range []error{ErrNewerVersion, ErrChecksum, ErrTruncated, ErrCorrupt, ErrTooLarge} {
			known = known || errors.Is(err, kind)
		}
		if !known {
			t.Fatalf("error of no kind: %v", err)
		}
		if _, err := DecodeOutputs(data); err == nil {
			t.Fatal("DecodeOutputs accepts what Decode refuses")
		}
		return
	}
	for i := range f.Sections {
		checkWalk(t, &f.Sections[i])
	}
	checkOutputs(t, data, f)
	again, err := Append(nil, f, Options{})
	if err != nil {
		if errors.Is(err, ErrTooLarge) && data[flagsAt]&flagCompressed != 0 {
			return // header and checksum come on top of the largest body
		}
		t.Fatalf("cannot encode what was decoded: %v", err)
	}
	if data[flagsAt]&flagCompressed == 0 && string(again) != string(data) {
		t.Fatalf("encodes to\n%x, was\n%x", again, data)
	}
	back, err := Decode(again)
	if err != nil {
		t.Fatalf("cannot decode what was encoded again: %v", err)
	}
	checkFields(t, f, back)
}

func checkWalk(t *testing.T, s *Section) {
	it, n, last := s.Messages(), uint32(0), int64(0)
	rebuilt := Section{Base: s.Base}
	for {
		m, ok := it.Next()
		if !ok {
			break
		}
		n, last = n+1, m.Time
		rebuilt.Append(m)
	}
	if n != s.Count || last != s.last || it.Offset() != s.Next() {
		t.Fatalf("walk: %d messages, last time %d, end %d; section %+v", n, last, it.Offset(), s)
	}
	if string(rebuilt.block) != string(s.block) {
		t.Fatalf("messages encode to %x, were %x", rebuilt.block, s.block)
	}
}
