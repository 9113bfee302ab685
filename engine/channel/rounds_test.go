package channel

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"penstock/engine/broker"
)

// After a cut a reader waits for the server three times, one after another: for both ends of the channel, for the end of
// its old consumer, and for the new one. A reader that asks one after another never gets the first answer here.
func TestReaderAsksSideBySideAfterACut(t *testing.T) {
	t.Parallel()
	e := startExternal(t)
	w := newWriter(t, openChannel(t, e.broker(t), spec()))
	for range 3 {
		w.write(1)
	}
	p := startInRounds(t, e.Addr().String())
	c := openChannel(t, connect(t, broker.Config{URL: "nats://" + p.listener.Addr().String()}), spec())
	r := startReader(t, c, ReaderConfig{})
	r.offsets(0, 3)
	p.begin([][]string{
		{"$JS.API.STREAM.MSG.GET.", "$JS.API.STREAM.INFO."},
		{"$JS.API.CONSUMER.DELETE."},
		{"$JS.API.CONSUMER.CREATE."},
	})
	w.write(1)
	r.offsets(3, 4)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rounds) != 0 || p.unexpected != nil {
		t.Errorf("rounds that did not come: %v; requests of another round: %v", p.rounds, p.unexpected)
	}
}

// inRounds stands between a client and its server. It passes the requests of a round on when the last of them is there.
type inRounds struct {
	listener net.Listener

	mu         sync.Mutex
	conns      []net.Conn
	rounds     [][]string // prefixes of subjects
	held       map[string][]byte
	unexpected []string
}

func startInRounds(t *testing.T, server string) *inRounds {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &inRounds{listener: l, held: map[string][]byte{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, upstream)
			p.mu.Unlock()
			all.Go(func() { _, _ = io.Copy(client, upstream); client.Close() })
			all.Go(func() { p.pass(upstream, bufio.NewReader(client)); upstream.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); p.cut(); all.Wait() })
	return p
}

func (p *inRounds) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// begin cuts the connection, and holds back requests from now on.
func (p *inRounds) begin(rounds [][]string) {
	p.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rounds = rounds
}

// pass forwards what a client sends, one line of the protocol with its payload after another.
func (p *inRounds) pass(to io.Writer, from *bufio.Reader) {
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return
		}
		data := []byte(line)
		fields := strings.Fields(line)
		if len(fields) > 2 && (fields[0] == "PUB" || fields[0] == "HPUB") {
			size, err := strconv.Atoi(fields[len(fields)-1])
			if err != nil {
				return
			}
			payload := make([]byte, size+2)
			if _, err := io.ReadFull(from, payload); err != nil {
				return
			}
			data = p.hold(fields[1], append(data, payload...))
		}
		if _, err := to.Write(data); err != nil {
			return
		}
	}
}

// hold returns what is to be sent now. A request that is made again takes the place of the one before.
func (p *inRounds) hold(subject string, data []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, round := range p.rounds {
		for _, prefix := range round {
			if !strings.HasPrefix(subject, prefix) {
				continue
			}
			if k > 0 {
				p.unexpected = append(p.unexpected, subject)
				return data
			}
			p.held[prefix] = data
			if len(p.held) < len(round) {
				return nil
			}
			var all []byte
			for _, request := range p.held {
				all = append(all, request...)
			}
			clear(p.held)
			p.rounds = p.rounds[1:]
			return all
		}
	}
	return data
}
