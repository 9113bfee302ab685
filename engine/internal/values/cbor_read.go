package values

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// reading has the decoder refuse what the writer does not write: a key that
// comes twice, or that no field wants, is damage or another type. Its bounds do
// not refuse what the writer writes; every element takes a byte at least.
var reading = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:                 cbor.DupMapKeyEnforcedAPF,
		TimeTag:                   cbor.DecTagRequired,
		TimeTagToAny:              cbor.TimeTagToTime,
		MaxNestedLevels:           maxDepth + 2, // a tag is a level, too
		MaxArrayElements:          math.MaxInt32,
		MaxMapPairs:               math.MaxInt32,
		IntDec:                    cbor.IntDecConvertSignedOrBigInt,
		BigIntDec:                 cbor.BigIntDecodePointer,
		DefaultMapType:            reflect.TypeFor[map[string]any](),
		ExtraReturnErrors:         cbor.ExtraDecErrorUnknownField,
		UTF8:                      cbor.UTF8DecodeInvalid,
		FieldNameMatching:         cbor.FieldNameMatchingCaseSensitive,
		TextUnmarshaler:           cbor.TextUnmarshalerTextString,
		JSONUnmarshalerTranscoder: unwrapJSON{},
	}.DecMode()
	if err != nil {
		panic(fmt.Sprintf("values: CBOR options: %v", err))
	}
	return mode
}()

// DecodeCBOR reads what AppendCBOR wrote into the zero value to which ptr
// points.
func (t *Type) DecodeCBOR(data []byte, ptr any) error {
	data, _ = bytes.CutPrefix(data, []byte(Mark))
	if err := reading.Unmarshal(data, ptr); err != nil {
		return t.named(err, data)
	}
	if t.isOpen && bytes.IndexByte(data, majorUint|27) >= 0 {
		return restoreInto(t.plan, ptr, unsigned)
	}
	return nil
}

// IsCBOR says whether bytes begin as AppendCBOR's do.
func IsCBOR(data []byte) bool { return bytes.HasPrefix(data, []byte(Mark)) }

// unwrapJSON gives types that read JSON the JSON that they wrote.
type unwrapJSON struct{}

var errNoJSON = errors.New("the CBOR does not contain JSON")

func (unwrapJSON) Transcode(dst io.Writer, src io.Reader) error {
	data, err := io.ReadAll(src)
	if err != nil {
		return err
	}
	var wrapped cbor.RawTag
	if err := cbor.Unmarshal(data, &wrapped); err != nil || wrapped.Number != tagJSON {
		return errNoJSON
	}
	var text []byte
	if err := cbor.Unmarshal(wrapped.Content, &text); err != nil {
		return errNoJSON
	}
	_, err = dst.Write(text)
	return err
}
