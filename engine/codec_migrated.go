package engine

import "fmt"

// Migrated returns the codec of a type that has changed, for a state that older
// runs have written (StateCodec) or a stream that still has older values
// (Stream.WithCodec). It writes as codec does. What codec cannot read it reads
// with old, and converts. JSON with a field that New does not have counts as not
// read; a field that only New has is zero, as always. Several changes are a
// chain: old may come from Migrated, too.
//
// A conversion must give the same result each time, and do nothing else: the
// value is converted whenever it is read, until the stage has changed it once.
// Its error, like that of a codec, is a failed message where a stream is read,
// and ends the pipeline where a state is. It is safe for concurrent use if
// convert is.
func Migrated[Old, New any](codec Codec[New], old Codec[Old], convert func(Old) (New, error)) Codec[New] {
	return migratedCodec[Old, New]{strict(codec), strict(old), convert}
}

type migratedCodec[Old, New any] struct {
	Codec[New]
	old     Codec[Old]
	convert func(Old) (New, error)
}

func (c migratedCodec[Old, New]) Decode(data []byte) (New, error) {
	value, err := c.Codec.Decode(data)
	if err == nil {
		return value, nil
	}
	before, oldErr := c.old.Decode(data)
	if oldErr != nil {
		return value, fmt.Errorf("%w; nor as the previous type: %w", err, oldErr)
	}
	if value, err = c.convert(before); err != nil {
		return value, fmt.Errorf("convert a value that an older version wrote: %w", err)
	}
	return value, nil
}

func (c migratedCodec[Old, New]) current() Codec[New] { return c.Codec }
