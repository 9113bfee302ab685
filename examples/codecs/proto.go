package codecs

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"penstock/engine"
)

// Proto returns a codec for a generated protobuf message, such as
// *timestamppb.Timestamp. Fields that the program does not know are kept. It is
// safe for concurrent use.
//
// Every message is decoded into a fresh value, which the stage may keep and
// change.
func Proto[M proto.Message]() engine.Codec[M] { return protoCodec[M]{} }

type protoCodec[M proto.Message] struct{}

var _ engine.Codec[*emptypb.Empty] = protoCodec[*emptypb.Empty]{}

func (protoCodec[M]) Name() string { return "protobuf" }

func (protoCodec[M]) Append(dst []byte, message M) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, message)
}

func (protoCodec[M]) Decode(data []byte) (M, error) {
	var none M // a nil pointer still knows its type
	message := none.ProtoReflect().New().Interface().(M)
	return message, proto.Unmarshal(data, message)
}
