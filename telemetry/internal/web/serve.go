package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// endTime is how long answers that are under way may take at the end.
const endTime = time.Second

// ServeUntil answers until ctx is done. Then hush ends the answers that would not
// end by themselves.
func ServeUntil(ctx context.Context, log *slog.Logger, listener net.Listener, handler http.Handler, hush func()) error {
	ctx, cancel := context.WithCancel(ctx)
	connections := newConnections()
	share := shareFiles(log, connections)
	defer share.Close()
	server := &http.Server{
		Handler:           connections.Wrap(handler),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: ReadTime,
		ReadTimeout:       ReadTime,
		WriteTimeout:      WriteTime,
		IdleTimeout:       IdleTime,
		ConnContext:       connections.enter,
		ConnState:         connections.left,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var ending sync.WaitGroup
	ending.Go(func() {
		<-ctx.Done()
		hush()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(listener)
	cancel()
	ending.Wait()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the telemetry on %s: %w", listener.Addr(), err)
	}
	return nil
}
