// Package channel carries frames from the instances of one stage to the stages that read it, over a JetStream stream.
//
// A [Channel] is one instance's view of the stream of its stage. [Open] creates the stream, or restores settings that
// another client changed:
//
//	c, err := channel.Open(ctx, b, channel.Spec{Pipeline: "fizzbuzz", Stage: "generator", Identity: id})
//
// The writer looks at its past with [Channel.Last] and [Channel.Replay], and then commits one frame after the other.
// Each carries the sequence of the one before, so of two writers only one gets through:
//
//	pending := c.Publish(data, last, channel.Trace{})
//	<-pending.Done()
//	sequence, err := pending.Result()
//
// A commit whose fate is unknown ([ErrUnknown]) is looked up with Last and, if it is not there, published again with the
// same bytes and the same expectation: it cannot be stored twice.
//
// A [Reader] peeks ahead on behalf of one reading instance and delivers that instance's sections in order, each offset
// once, whatever happens to the connection, the server or the consumer in between. What it cannot repair (a gap, a
// channel that lost its end, a damaged frame, a stream that is gone) it refuses with an error that says what is missing.
// Its position is what it is started with; acknowledgements are a hint to the server and to its operators.
//
// Frames stay in the stream until [Channel.Trim] removes them.
//
// All methods may be called by any goroutine unless they say otherwise. Those that take a context, Info and Trim
// excepted, wait out a lost connection for as long as the context lives.
package channel
