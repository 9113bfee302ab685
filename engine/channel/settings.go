package channel

import (
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Keys of a stream's metadata.
const (
	metaPipeline   = "penstock.pipeline"
	metaStage      = "penstock.stage"
	metaIdentity   = "penstock.identity"
	metaOwner      = "penstock.owner"
	metaPartitions = "penstock.partitions"
	metaFirst      = "penstock.first-partition" // the number of its instance; not there: 0
)

func (s *Spec) config(replicas int) jetstream.StreamConfig {
	limit := s.MaxBytes
	if limit <= 0 {
		limit = -1
	}
	metadata := map[string]string{metaPipeline: s.Pipeline, metaStage: s.Stage, metaIdentity: s.Identity}
	if s.Owner.IsKnown() {
		metadata[metaOwner] = s.Owner.encode()
	}
	if s.Partitions.Count > 0 {
		s.Partitions.tell(metadata)
	}
	return jetstream.StreamConfig{
		Name:              StreamName(s.Pipeline, s.Stage),
		Description:       "frames of stage " + s.Stage + " of pipeline " + s.Pipeline,
		Subjects:          []string{s.Pipeline + "." + s.Stage + ".*", s.Pipeline + "." + s.Stage + ".*." + registerToken},
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		MaxConsumers:      -1,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxBytes:          limit,
		MaxMsgSize:        -1,
		Replicas:          replicas,
		Duplicates:        s.DuplicateWindow,
		AllowDirect:       false, // a direct read may come from a replica that lags behind
		Metadata:          metadata,
	}
}

// setting is one thing in a stream's configuration that a channel depends on. mend makes have like want and tells
// whether it had to.
type setting struct {
	name string
	mend func(have, want *jetstream.StreamConfig) bool
}

func plain[T comparable](name string, at func(*jetstream.StreamConfig) *T) setting {
	return setting{name, func(have, want *jetstream.StreamConfig) bool {
		h, w := at(have), at(want)
		if *h == *w {
			return false
		}
		*h = *w
		return true
	}}
}

type config = jetstream.StreamConfig

// settings leaves alone what does no harm: description, placement, compression, republishing, more replicas.
var settings = []setting{
	{"subjects", mendSubjects},
	plain("retention", func(c *config) *jetstream.RetentionPolicy { return &c.Retention }),
	plain("storage", func(c *config) *jetstream.StorageType { return &c.Storage }),
	plain("discard", func(c *config) *jetstream.DiscardPolicy { return &c.Discard }),
	plain("discard_new_per_subject", func(c *config) *bool { return &c.DiscardNewPerSubject }),
	plain("max_consumers", func(c *config) *int { return &c.MaxConsumers }),
	plain("max_msgs", func(c *config) *int64 { return &c.MaxMsgs }),
	plain("max_msgs_per_subject", func(c *config) *int64 { return &c.MaxMsgsPerSubject }),
	plain("max_bytes", func(c *config) *int64 { return &c.MaxBytes }),
	plain("max_msg_size", func(c *config) *int32 { return &c.MaxMsgSize }),
	plain("max_age", func(c *config) *time.Duration { return &c.MaxAge }),
	plain("duplicate_window", func(c *config) *time.Duration { return &c.Duplicates }),
	plain("allow_direct", func(c *config) *bool { return &c.AllowDirect }),
	plain("no_ack", func(c *config) *bool { return &c.NoAck }),
	plain("sealed", func(c *config) *bool { return &c.Sealed }),
	plain("deny_delete", func(c *config) *bool { return &c.DenyDelete }),
	plain("deny_purge", func(c *config) *bool { return &c.DenyPurge }),
	plain("allow_msg_counter", func(c *config) *bool { return &c.AllowMsgCounter }),
	plain("persist_mode", func(c *config) *jetstream.PersistModeType { return &c.PersistMode }),
	plain("consumer_limits", func(c *config) *jetstream.StreamConsumerLimits { return &c.ConsumerLimits }),
	{"num_replicas", mendReplicas},
	{"mirror, sources or subject_transform", mendOrigin},
	{"metadata", mendMetadata},
	{"partitions", mendPartitions},
}

func mendSubjects(have, want *config) bool {
	if slices.Equal(have.Subjects, want.Subjects) {
		return false
	}
	have.Subjects = want.Subjects
	return true
}

func mendReplicas(have, want *config) bool {
	if have.Replicas >= want.Replicas {
		return false
	}
	have.Replicas = want.Replicas
	return true
}

func mendOrigin(have, _ *config) bool {
	if have.Mirror == nil && len(have.Sources) == 0 && have.SubjectTransform == nil {
		return false
	}
	have.Mirror, have.Sources, have.SubjectTransform = nil, nil, nil
	return true
}

// mendMetadata keeps the keys of others. The identity is compared before, and never overwritten by none. The owner is
// no setting: it changes when another process takes the pipeline over, see [Channel.Own].
func mendMetadata(have, want *config) bool {
	mended := false
	for key, value := range want.Metadata {
		if have.Metadata[key] == value || key == metaOwner || key == metaPartitions || key == metaFirst || (key == metaIdentity && value == "") {
			continue
		}
		if have.Metadata == nil {
			have.Metadata = make(map[string]string)
		}
		have.Metadata[key] = value
		mended = true
	}
	return mended
}

// mend returns have with everything that matters as in want, and the names of what was different.
func mend(have, want jetstream.StreamConfig) (jetstream.StreamConfig, []string) {
	var changed []string
	for _, s := range settings {
		if s.mend(&have, &want) {
			changed = append(changed, s.name)
		}
	}
	return have, changed
}
