// Package dashboard tests the page of the telemetry in a real browser: embedded
// pipelines in this process, their telemetry server on a port of its own, and a
// headless Chromium that clicks, types and looks.
//
// Without a Chromium the tests are skipped, unless PENSTOCK_BROWSER=required.
// PENSTOCK_BROWSER may also name the program.
//
// Pictures of every view, on a desktop and a phone, light and dark:
//
//	go test ./tests/dashboard -run Screenshots -screenshots DIR
package dashboard
