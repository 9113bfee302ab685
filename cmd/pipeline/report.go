package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"penstock/engine"
	"penstock/engine/redact"
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
		return usage("--report: %s is a directory: name a file in it", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return usage("--report: there is no directory for %s: %w", path, err)
	}
	return nil
}

func (s *session) writeReport(status engine.Status, err error) error {
	if s.report == "" {
		return nil
	}
	final := finalReport{statusReport: reportOf(status), Exit: exitCode(err)}
	if err != nil {
		final.Error = redact.Text(err.Error())
	}
	data, err := json.MarshalIndent(final, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	data = append(escapeJSON(data), '\n')
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

// writeFile replaces a file as a whole: who reads it finds the old content or
// the new one. What is no regular file, such as a pipe, is written to.
func writeFile(path string, data []byte, mode os.FileMode) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	old, statErr := os.Stat(path)
	if statErr == nil && !old.Mode().IsRegular() {
		return os.WriteFile(path, data, 0)
	}
	if statErr == nil {
		mode = old.Mode().Perm()
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	if err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
