// Package channel carries frames from the instances of one stage to the stages that read it, over a JetStream stream.
//
// A [Channel] is one instance's view of the stream of its stage. [Open] creates the stream, or restores settings that
// another client changed:
//
//	c, err := channel.Open(ctx, b, channel.Spec{Pipeline: "fizzbuzz", Stage: "generator", Identity: id})
//
// The writer reads its past with [Channel.Last] and [Channel.Replay], and then commits one frame after the other. Each
// carries the sequence of the one before, so of two writers only one can commit:
//
//	pending := c.Publish(data, last, channel.Trace{})
//	<-pending.Done()
//	sequence, err := pending.Result()
//
// If the outcome of a commit is unknown ([ErrUnknown]), the writer looks it up with Last. If it is not there, the
// writer publishes it again with the same bytes and the same expectation: it cannot be stored twice.
//
// A [Reader] reads ahead for one reading instance and delivers that instance's sections in order, each offset once,
// whatever happens to the connection, the server or the consumer. It refuses what it cannot repair (a gap, a channel
// that lost its end, a damaged frame, a stream that is gone) with an error that says what is missing. It starts at the
// position that it is given. Acknowledgements are a hint to the server and to its operators.
//
// Frames stay in the stream until [Channel.Trim] removes them.
//
// All methods may be called by any goroutine unless they say otherwise. Those that take a context, except Info and
// Trim, wait for a lost connection until the context ends.
package channel
