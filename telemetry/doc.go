// Package telemetry shows a running pipeline to people in a browser, to Prometheus, to probes and to scripts.
//
//	server, err := telemetry.New(p, telemetry.Config{})
//	go server.Serve(ctx)
//	err = p.Run(ctx, engine.Config{Dir: "data"})
//
// The command `pipeline run` does that by itself. With the zero [Config] it is at http://127.0.0.1:9900/, for this
// machine only:
//
//   - / is the dashboard: the live graph of the pipeline, tables of stages and channels, events, dead letters, and
//     charts of the last minutes of what you click. It can restart, pause and resume stages, replay and discard dead
//     letters, and drain the run.
//   - /metrics is for Prometheus; see [Collector], which a program with its own registry can use without a Server. A
//     dashboard for Grafana and rules for alerts are in grafana.json and alerts.yml beside this file.
//   - /graph.dot is the graph in the language of Graphviz, /graph.svg the same drawn; see [WriteDOT] and [WriteSVG].
//   - /healthz says that the process lives, /readyz whether the pipeline works, and if not, why.
//   - /api/v1/… is the data of the dashboard as JSON; docs/telemetry.md has all of it.
//
// Traces are separate: TracesFromEnvironment and NewTracer make OpenTelemetry spans of a pipeline's frames, linked from
// stage to stage.
//
// The engine measures (see observe.StageMeasures). This package reads the measures once a second, however many clients
// watch. Whatever comes from a message, a name or a panic is shown as text only.
//
// Other machines need a token. A request under a name that is not the server's own is refused, so that no web page can
// reach the server through a name that leads to this machine. Actions must be sent by the page itself or with the
// token.
package telemetry
