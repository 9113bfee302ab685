// Package broker holds the connection of a pipeline to NATS, and the NATS server itself when there is no other.
//
// Without a URL [Open] starts a NATS server inside the process. It opens no port, keeps its files in [Config.Dir] and,
// by default, syncs every write to the disk before it is acknowledged:
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
// Open waits for such a server until its context ends, and logs what it waits for. Later it reconnects a lost
// connection for as long as it takes, with a growing delay between attempts. Nothing that was sent while the connection
// was down is kept and sent later. [Broker.WaitConnected] waits until an outage is over, and [Broker.OnReconnect]
// reports that it is.
//
// The rest of the engine uses JetStream through [Broker.JetStream], and publishes through [Broker.Ask]: one attempt,
// with an answer or an error.
//
// Passwords, tokens and credentials in URLs appear in no error and no log line of this package.
//
// All methods of a [Broker] may be called by any goroutine.
package broker
