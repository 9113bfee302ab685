// Package broker holds the connection of a pipeline to NATS, and the NATS server itself when there is no other.
//
// Without a URL [Open] starts a NATS server inside the process. It opens no port, keeps its files in [Config.Dir] and, by
// default, brings every write to the disk before it is acknowledged:
//
//	b, err := broker.Open(ctx, broker.Config{Dir: "data/nats"})
//	if err != nil {
//		return err
//	}
//	defer b.Close()
//
// With a URL the same pipeline runs on a server, or a cluster, outside:
//
//	b, err := broker.Open(ctx, broker.Config{URL: "nats://a:4222,nats://b:4222", Credentials: "pipeline.creds"})
//
// Open waits for such a server as long as its context lives and says in the log what it waits for. Later a lost
// connection is repaired without end, with a growing delay between attempts; nothing that was sent while it was down is kept
// back and sent later. [Broker.WaitConnected] waits an outage out, and [Broker.OnReconnect] tells when one is over.
//
// The rest of the engine talks to JetStream by [Broker.JetStream], and publishes through [Broker.Ask]: one attempt, and
// an honest answer about what became of it.
//
// Passwords, tokens and credentials in URLs appear in no error and no log line of this package.
//
// All methods of a [Broker] may be called by any goroutine.
package broker
