// Package telemetry shows a running pipeline: to people in a browser, to
// Prometheus, to probes and to scripts.
//
//	server, err := telemetry.New(p, telemetry.Config{})
//	go server.Serve(ctx)
//	err = p.Run(ctx, engine.Config{Dir: "data"})
//
// The command `pipeline run` does that by itself. Without a [Config] it is at
// http://127.0.0.1:9900/, for this machine only:
//
//   - / is the dashboard: the graph of the pipeline as it moves, tables of stages
//     and channels, what happened, the dead letters, and charts of the last
//     minutes of whatever is clicked. It can restart, pause and resume stages,
//     replay and discard dead letters, and drain the run.
//   - /metrics is for Prometheus; see [Collector], which a program with a registry
//     of its own can use without a Server. A dashboard for Grafana and rules for
//     alerts are in grafana.json and alerts.yml beside this file.
//   - /graph.dot is the graph in the language of Graphviz, /graph.svg the same
//     drawn; see [WriteDOT] and [WriteSVG].
//   - /healthz says that the process lives, /readyz that the pipeline works, and
//     why not.
//   - /api/v1/… is what the dashboard is made of, as JSON; docs/telemetry.md has all
//     of it.
//
// Traces are apart from that: TracesFromEnvironment and NewTracer make spans of
// OpenTelemetry of a pipeline's frames, linked from stage to stage.
//
// What is measured is the engine's business (see engine.StageMeasures); this
// package looks at it once a second, however many watch. Nothing that comes from a
// message, a name or a panic gets anywhere but as text.
//
// Other machines are let in only with a token. Requests under a name that is not
// the server's own are refused, so that no page on the web can reach it through a
// name that leads here, and actions have to be sent by the page itself or with
// the token.
package telemetry
