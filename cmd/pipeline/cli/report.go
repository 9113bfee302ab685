package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/render"
	"penstock/engine"
	"penstock/engine/redact"
	"penstock/internal/userfile"
)

// statusReport is what a pipeline did, for programs.
type statusReport struct {
	engine.Status
	ElapsedSeconds float64 `json:"elapsed_seconds"`
}

func reportOf(status engine.Status) statusReport {
	if status.Stages == nil {
		status.Stages = []engine.StageStatus{}
	}
	return statusReport{Status: status, ElapsedSeconds: status.Elapsed.Seconds()}
}

// finalReport is the same at the end of the process.
type finalReport struct {
	statusReport
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

func (s *session) writeReport(status engine.Status, err error) error {
	if s.report == "" {
		return nil
	}
	final := finalReport{statusReport: reportOf(status), Exit: exitCode(err)}
	if err != nil {
		final.Error = redact.Text(s.hints.explain(err))
	}
	data, err := json.MarshalIndent(final, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	data = append(render.EscapeJSON(data), '\n')
	if s.report == "-" {
		_, err = s.stdout.Write(data)
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
