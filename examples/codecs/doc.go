// Package codecs shows how values of a stream, or a state, are written in another form than the default.
//
// A codec is three methods, see [engine.Codec]. [CBOR] is one for any Go type; it is compact and, unlike JSON, keeps bytes and
// 64-bit numbers as they are. [Proto] is one for generated protobuf messages. Both are set where the stream is declared:
//
//	readings := engine.Source(p, "readings", read).WithCodec(codecs.CBOR[Reading]())
//
// and for a state with engine.StateCodec.
package codecs
