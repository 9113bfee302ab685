package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	valueSize = 128

	byHandSubject = "hop.values"

	// As many as a pipeline's batch, so that neither bound is what is measured.
	byHandUnacked = 16 << 10
)

// byHand is the hop as the documentation of nats.go has it: asynchronous
// publishing with message ids on one connection; on another a durable
// consumer that acknowledges each message once its handler is through.
// It returns the time from the first publish until the server knows the last
// acknowledgement.
func byHand(ctx context.Context, dir string, sync syncMode, n int) (took time.Duration, err error) {
	s, err := startServer(dir, sync)
	if err != nil {
		return 0, err
	}
	defer stopServer(s)
	writer, err := openByHand(s)
	if err != nil {
		return 0, err
	}
	defer writer.conn.Close()
	reader, err := openByHand(s)
	if err != nil {
		return 0, err
	}
	defer reader.conn.Close()
	stream, err := writer.js.CreateStream(ctx, jetstream.StreamConfig{Name: "hop", Subjects: []string{byHandSubject}})
	if err != nil {
		return 0, fmt.Errorf("create the stream: %w", err)
	}
	consumer, err := reader.js.CreateConsumer(ctx, stream.CachedInfo().Config.Name, jetstream.ConsumerConfig{
		Durable:       "reader",
		AckPolicy:     jetstream.AckExplicitPolicy,
		MaxAckPending: byHandUnacked,
	})
	if err != nil {
		return 0, fmt.Errorf("create the consumer: %w", err)
	}
	start := time.Now()
	received := make(chan error, 1)
	consuming, err := consumer.Consume(receiveByHand(n, received))
	if err != nil {
		return 0, fmt.Errorf("consume: %w", err)
	}
	defer func() {
		consuming.Stop()
		<-consuming.Closed()
	}()
	if err := writer.publish(ctx, n); err != nil {
		return 0, err
	}
	select {
	case err = <-received:
	case <-ctx.Done():
		err = fmt.Errorf("wait for the messages: %w", ctx.Err())
	}
	if err == nil {
		err = reader.conn.FlushWithContext(ctx) // the last acknowledgements
	}
	return time.Since(start), err
}

type byHandSide struct {
	conn   *nats.Conn
	js     jetstream.JetStream
	failed chan error // the first publish that was refused
}

func openByHand(s *server.Server) (*byHandSide, error) {
	conn, err := connect(s)
	if err != nil {
		return nil, err
	}
	side := &byHandSide{conn: conn, failed: make(chan error, 1)}
	side.js, err = jetstream.New(conn, jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, m *nats.Msg, err error) {
		select {
		case side.failed <- fmt.Errorf("publish %s: %w", m.Header.Get(jetstream.MsgIDHeader), err):
		default:
		}
	}))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("JetStream: %w", err)
	}
	return side, nil
}

// publish publishes n values and waits until the server has them all.
func (w *byHandSide) publish(ctx context.Context, n int) error {
	for i := range n {
		value := make([]byte, valueSize)
		fill(value, uint64(i))
		m := nats.NewMsg(byHandSubject)
		m.Data = value
		if _, err := w.js.PublishMsgAsync(m, jetstream.WithMsgID(strconv.Itoa(i)), jetstream.WithStallWait(time.Minute)); err != nil {
			return fmt.Errorf("publish message %d: %w", i, err)
		}
	}
	select {
	case <-w.js.PublishAsyncComplete():
	case <-ctx.Done():
		return fmt.Errorf("wait for the publish acknowledgements: %w", ctx.Err())
	}
	select {
	case err := <-w.failed:
		return err
	default:
		return nil
	}
}

// receiveByHand counts and acknowledges messages, and tells done when all are
// there, in order.
func receiveByHand(n int, done chan<- error) jetstream.MessageHandler {
	var count uint64
	finish := func(err error) {
		select {
		case done <- err:
		default:
		}
	}
	return func(m jetstream.Msg) {
		if len(m.Data()) != valueSize || number(m.Data()) != count {
			finish(errors.New("a message came twice, out of order or damaged"))
			return
		}
		if err := m.Ack(); err != nil {
			finish(fmt.Errorf("acknowledge: %w", err))
			return
		}
		if count++; count == uint64(n) {
			finish(nil)
		}
	}
}

// fill numbers a value; the rest of it is the same in all.
func fill(value []byte, i uint64) {
	for k := range value {
		value[k] = byte(k)
	}
	binary.BigEndian.PutUint64(value, i)
}

func number(value []byte) uint64 { return binary.BigEndian.Uint64(value) }
