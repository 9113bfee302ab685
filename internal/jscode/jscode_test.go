package jscode

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// The numbers are those of the server that is built in.
func TestCodesAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]server.ErrorIdentifier{
		AccountStorage: server.JSAccountResourcesExceededErr,
		ServerStorage:  server.JSInsufficientResourcesErr,
		MaxStreams:     server.JSMaximumStreamsLimitErr,
		Memory:         server.JSMemoryResourcesExceededErr,
		Reserved:       server.JSStorageResourcesExceededErr,
		StoreFailed:    server.JSStreamStoreFailedF,
		LimitDemanded:  server.JSStreamMaxBytesRequired,
		StreamTooLarge: server.JSStreamMaxStreamBytesExceeded,
		ClusterAway:    server.JSClusterNotAvailErr,
		NotLeader:      server.JSClusterNotLeaderErr,
		StreamCreate:   server.JSStreamCreateErrF,
		Overlap:        server.JSStreamSubjectOverlapErr,
		StreamOffline:  server.JSStreamOfflineErr,
	} {
		if server.ErrorIdentifier(code) != want {
			t.Errorf("%d is %d in the server", code, want)
		}
	}
}
