package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	pingInterval = 10 * time.Second
	maxPings     = 2 // unanswered, before the connection counts as dead
	flushTimeout = 5 * time.Second
	apiTimeout   = 5 * time.Second
)

var (
	// ErrNoJetStream means that the server is there, but keeps no streams.
	ErrNoJetStream = errors.New("JetStream is not enabled")

	// ErrClosed is returned by waits on a closed Broker.
	ErrClosed = errors.New("broker is closed")
)

// Broker is an open connection to NATS, with the embedded server behind it unless a URL was given.
type Broker struct {
	cfg        Config
	embedded   *embedded   // nil: external
	syncer     *fileSyncer // nil: nothing to do
	conn       *nats.Conn
	inbox      string // what the answers to JetStream's requests begin with
	js         jetstream.JetStream
	asker      *asker
	connection *connection
	pulse      pulse
	abort      context.CancelFunc // ends dials under way
	close      sync.Once
}

// Open starts the embedded server, or connects to an external one, and returns when JetStream answers. It waits for an
// external server as long as ctx lives, or for [Config.ConnectTimeout]. An error that wraps [ErrConfig],
// [ErrPermission], [ErrInUse] or [ErrNoJetStream] will not go away by trying again.
func Open(ctx context.Context, cfg Config) (*Broker, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	b := &Broker{cfg: cfg}
	life, abort := context.WithCancel(context.WithoutCancel(ctx))
	b.abort = abort
	err := b.within(ctx, func(ctx context.Context) error {
		var err error
		if cfg.URL == "" {
			err = b.openEmbedded(ctx)
		} else {
			err = b.openExternal(ctx, life)
		}
		if err == nil {
			err = b.checkJetStream(ctx)
		}
		return err
	})
	if err != nil {
		b.Close()
		return nil, err
	}
	if !b.Embedded() {
		b.startPulse()
	}
	return b, nil
}

func (b *Broker) openEmbedded(ctx context.Context) (err error) {
	if b.embedded, err = startEmbedded(ctx, b.cfg); err != nil {
		return err
	}
	if b.cfg.Sync > 0 {
		b.syncer = &fileSyncer{dir: b.cfg.Dir}
	}
	if err := b.connect("the embedded server", nats.InProcessServer(b.embedded)); err != nil {
		return err
	}
	return b.WaitConnected(ctx)
}

func (b *Broker) openExternal(ctx, life context.Context) error {
	login, err := loginOptions(b.cfg)
	if err != nil {
		return err
	}
	d := newDialer(life)
	servers := strings.Join(splitURLs(b.cfg.URL), ",")
	opts := append(login, nats.SetCustomDialer(d), nats.RetryOnFailedConnect(true))
	if b.cfg.InboxPrefix != "" {
		opts = append(opts, nats.CustomInboxPrefix(b.cfg.InboxPrefix))
	}
	if err := b.connect(servers, opts...); err != nil {
		return err
	}
	d.armed.Store(true)
	if err := b.WaitConnected(ctx); errors.Is(err, ErrConfig) { // it says all
		return err
	} else if err != nil {
		return fmt.Errorf("connect to %s: %w%s", redact(servers), err, b.connection.lastFailure())
	}
	return nil
}

func (b *Broker) connect(servers string, extra ...nats.Option) error {
	b.connection = newConnection(b.cfg.Logger, redact(servers))
	b.connection.user = b.cfg.user()
	if b.cfg.ConnectTimeout > 0 { // the wait is told once, and its end says why
		b.connection.report = time.Now().Add(b.cfg.ConnectTimeout)
	}
	b.asker = newAsker(b.connection.refusals)
	b.connection.onRefused = b.asker.refused
	b.connection.lost.add(b.asker.lost)
	opts := append(b.connectionOptions(),
		nats.Name(b.cfg.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1), // nothing stale is sent after an outage
		nats.IgnoreAuthErrorAbort(),
		nats.Timeout(dialTimeout),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
	)
	url := servers
	if b.embedded != nil {
		url = nats.DefaultURL
	}
	var err error
	if b.conn, err = nats.Connect(url, append(opts, extra...)...); err != nil {
		return configError("connect to %s: %s", redact(servers), redact(err.Error()))
	}
	b.connection.conn.Store(b.conn)
	answers := b.conn.NewRespInbox()
	b.inbox = answers[:strings.LastIndexByte(answers, '.')+1]
	if err := b.asker.listen(b.conn); err != nil {
		return err
	}
	js, err := newJetStream(b.conn)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	b.js = permitted{js, b}
	return nil
}

func (b *Broker) connectionOptions() []nats.Option {
	l := b.connection
	return []nats.Option{
		nats.ConnectHandler(l.onConnected),
		nats.DisconnectErrHandler(l.onLost),
		nats.ReconnectHandler(l.onReconnected),
		nats.ClosedHandler(l.onClosed),
		nats.ErrorHandler(l.onError),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { l.onFailed(err) }),
		nats.CustomReconnectDelay(l.onRound),
	}
}
