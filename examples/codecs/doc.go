// Package codecs shows how values of a stream, or a state, are written in another form than the default.
//
// A codec is three methods, see [engine.Codec]. [Proto] is one for generated protobuf messages. It is set where the stream is
// declared:
//
//	times := engine.Stage(p, "times", …).WithCodec(codecs.Proto[*timestamppb.Timestamp]())
//
// and for a state with engine.StateCodec. The engine's own are engine.CBOR, the default for structs, and engine.JSON.
package codecs
