//go:build !unix

package telemetry

import "time"

func processorTime() time.Duration { return 0 }
