// Package codecs shows how to write the values of a stream, or a state, in another format than the default.
//
// A codec is three methods, see [engine.Codec]. [Proto] is one for generated protobuf messages. Set it where the stream
// is declared:
//
//	times := engine.Stage(p, "times", …).WithCodec(codecs.Proto[*timestamppb.Timestamp]())
//
// and for a state with engine.StateCodec. The engine's own are engine.CBOR, the default for structs, and engine.JSON.
package codecs
