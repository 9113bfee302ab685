// Package connector is what sources and sinks of systems outside have in common: what they do, what they promise, and
// what can be set.
//
// A connector is a [Reader] or a [Writer]. [Source] and [Sink] make stages of them:
//
//	lines := connector.Source(p, "in", func() connector.Reader[Place, string] { return &reader{url: url} })
//	connector.Sink(p, "out", lines, func() connector.Writer[Sent, string] { return &writer{url: url} })
//
// Users of a connector seldom see this package: packages such as stages/jetstream have functions of their own, which
// call these. Authors of connectors do, and let the package stages/conformance test theirs.
//
// # What a connector has to do
//
//   - Its state is its place: what the stage commits, with what it emitted, is all that it needs to go on. It keeps
//     nothing else that has to survive.
//   - It says with [About] what it promises, where that ends, and what can be set. A test shows the first.
//   - What it cannot reach is engine.Unavailable, and never a plain error: an outage burns no attempt of a message
//     and no restart of the stage. While the other side is away each call returns that; when it is back,
//     a call returns nil, also without a message.
//   - What the other side does not accept for good is engine.Reject for one message, and engine.Fatal where a setting
//     or a right is wrong.
//   - An answer that did not come is neither. The connector finds out what became of the message before it sends
//     another one.
//   - What it holds is bounded, whatever waits on either side.
//   - No error and no log line has a secret: see [Settings] and [Hide].
package connector
