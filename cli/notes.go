package cli

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
)

// notes is the writer of messages beside the output: plain on standard error, or, when
// the log is JSON, as records of the log, so that standard error contains JSON only.
func (p *program) notes(level slog.Level) io.Writer {
	if !p.jsonLog {
		return p.stderr
	}
	return &recordWriter{slog.New(slog.NewJSONHandler(p.stderr, nil)), level}
}

// recordWriter makes each line a record of a log. Lines must be written whole.
type recordWriter struct {
	log   *slog.Logger
	level slog.Level
}

func (w *recordWriter) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if text := strings.TrimSpace(string(line)); text != "" {
			w.log.Log(context.Background(), w.level, text)
		}
	}
	return len(b), nil
}

// asksJSONLog reports whether a flag or a variable asks for a log in JSON. It is for
// messages before the settings have been read.
func (p *program) asksJSONLog(cmd *cobra.Command) bool {
	if f := cmd.Flag("log-format"); f != nil && f.Changed {
		return f.Value.String() == "json"
	}
	return p.variable("BALER_LOG_FORMAT") == "json"
}
