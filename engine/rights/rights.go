package rights

import (
	"slices"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/internal/plan"
)

// Config says of which pipeline the rights are wanted.
type Config struct {
	Pipeline    string
	Stages      []string // nil: not known; then the rights are for the streams of any stage, and of other pipelines too
	InboxPrefix string   // as in [broker.NATS]. Default: _INBOX
}

// Of gives what the user of an external NATS server has to be allowed for a pipeline: with these everything works,
// with one less the start is refused. The command prints them as a configuration: nats-permissions.
func Of(c Config) []broker.Right {
	inbox := c.InboxPrefix
	if inbox == "" {
		inbox = "_INBOX"
	}
	r := rights{pipeline: c.Pipeline, stages: c.Stages}
	r.list = []broker.Right{
		{Action: broker.Subscribe, Subject: inbox + ".>", Use: "receive the answers of the server", Probes: []string{inbox + ".penstock.probe"}},
		{
			Action: broker.Subscribe, Subject: c.Pipeline + ".*.*.replay.>", Use: "learn of replayed dead letters",
			Probes: []string{c.Pipeline + ".*.*.replay.>"},
		},
		{Action: broker.Publish, Subject: c.Pipeline + ".>", Use: "write frames, dead letters and replays", Probes: r.written()},
		{Action: broker.Publish, Subject: "$JS.API.INFO", Use: "read the JetStream account information", Probes: []string{"$JS.API.INFO"}},
		{Action: broker.Publish, Subject: "$JS.API.STREAM.LIST", Use: "find the streams of the pipeline", Probes: []string{"$JS.API.STREAM.LIST"}},
	}
	r.streams()
	return r.list
}

type rights struct {
	pipeline string
	stages   []string
	list     []broker.Right
}

// written are subjects of each kind.
func (r *rights) written() []string {
	subjects := []string{r.pipeline + ".penstock.0.dead.probe.probe", r.pipeline + ".penstock.0.replay.probe.probe"}
	for _, stage := range r.stages {
		subjects = append(subjects, plan.Only(stage).Subject(r.pipeline))
	}
	return subjects
}

// apiRequest is a kind of request about a stream: its subject begins with prefix and the stream, and has more behind
// it.
type apiRequest struct {
	prefix, rest, probe string
	use                 string
	only                func(streamKind) bool // nil: all
}

type streamKind int

const (
	ofChannel streamKind = iota
	ofLetters
	ofReplays
)

func onlyChannels(k streamKind) bool { return k == ofChannel }

var apiRequests = []apiRequest{
	{"$JS.API.STREAM.INFO.", "", "", "read the stream's information", nil},
	{"$JS.API.STREAM.CREATE.", "", "", "create the stream", nil},
	{"$JS.API.STREAM.UPDATE.", "", "", "restore the settings of the stream", nil},
	{"$JS.API.STREAM.DELETE.", "", "", "delete the stream when a complete pipeline starts over", nil},
	{"$JS.API.STREAM.PURGE.", "", "", "trim frames that are not needed any more", onlyChannels},
	{"$JS.API.STREAM.MSG.GET.", "", "", "read the last frame, or a dead letter", nil},
	{"$JS.API.STREAM.MSG.DELETE.", "", "", "discard dead letters, and take out of a channel what a repair deletes", nil},
	{"$JS.API.CONSUMER.CREATE.", ".>", ".penstock-probe.probe", "create a consumer", nil},
	{"$JS.API.CONSUMER.INFO.", ".*", ".penstock-probe", "read a consumer's information", nil},
	{"$JS.API.CONSUMER.DELETE.", ".*", ".penstock-probe", "delete a consumer to create it again", nil},
	{"$JS.API.CONSUMER.MSG.NEXT.", ".*", ".penstock-probe", "read", nil},
	{"$JS.ACK.", ".>", ".penstock-probe.1.1.1.1.0", "acknowledge frames", onlyChannels},
}

// streams adds the requests about each stream; of stages that are not known with a wildcard for the stream, which NATS
// has only for a whole name.
func (r *rights) streams() {
	kinds := map[string]streamKind{dlq.StreamName(r.pipeline): ofLetters, dlq.ReplayStreamName(r.pipeline): ofReplays}
	for _, stage := range r.stages {
		kinds[channel.StreamName(r.pipeline, stage)] = ofChannel
	}
	for _, q := range apiRequests {
		var all []string
		for name, kind := range kinds {
			if q.only == nil || q.only(kind) {
				all = append(all, name)
			}
		}
		slices.Sort(all)
		if r.stages == nil {
			r.add(q, "*", all)
			continue
		}
		for _, name := range all {
			r.add(q, name, []string{name})
		}
	}
}

func (r *rights) add(q apiRequest, name string, probed []string) {
	right := broker.Right{Action: broker.Publish, Subject: q.prefix + name + q.rest, Use: q.use}
	for _, stream := range probed {
		right.Probes = append(right.Probes, q.prefix+stream+q.probe)
	}
	r.list = append(r.list, right)
}
