package runcmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/render"
	"penstock/cmd/pipeline/internal/wire"
	"penstock/engine/observe"
	"penstock/engine/redact"
	"penstock/internal/userfile"
)

// Report is what a pipeline did, at the end of the process.
type Report struct {
	wire.StatusReport
	Exit  int    `json:"exit"`
	Error string `json:"error,omitempty"`
}

// checkReport finds out early what would be a pity to find out at the end.
func checkReport(path string) error {
	if path == "" || path == "-" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return flags.Usage("--report: %s is a directory: name a file in it", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return flags.Usage("--report: there is no directory for %s: %w", path, err)
	}
	if _, err := userfile.Check(path); err != nil {
		return flags.Usage("--report: %w", err)
	}
	return nil
}

func (s *session) writeReport(status observe.Status, err error) error {
	if s.report == "" {
		return nil
	}
	final := Report{StatusReport: wire.ReportOf(status), Exit: app.ExitCode(err)}
	if err != nil {
		final.Error = redact.Text(s.Hints.Explain(err))
	}
	data, err := json.MarshalIndent(final, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	data = append(render.EscapeJSON(data), '\n')
	if s.report == "-" {
		_, err = s.Stdout.Write(data)
	} else {
		err = writeFile(s.report, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// writeFile replaces a file as a whole, and keeps its mode.
func writeFile(path string, data []byte, mode os.FileMode) error {
	return userfile.Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
