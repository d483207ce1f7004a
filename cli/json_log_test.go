package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// onlyRecords fails unless each line is a record of a JSON log, and returns their messages.
func onlyRecords(t *testing.T, stderr string) (messages []string) {
	t.Helper()
	for line := range strings.Lines(stderr) {
		var record struct {
			Level string `json:"level"`
			Msg   string `json:"msg"`
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Level == "" || record.Msg == "" {
			t.Errorf("not a record: %q (%v)", line, err)
		}
		messages = append(messages, record.Msg)
	}
	return messages
}

// With a log in JSON, standard error holds nothing else: no note, no progress, no error in words.
func TestJSONLogIsOnlyJSON(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	s.env = append(s.env, "BALER_LOG_FORMAT=json")
	_, stderr, stop := s.start("worker")
	messages := onlyRecords(t, s.must(exitOK, "submit", "--wait", s.path("in")).stderr)
	contains(t, "the log of submit", strings.Join(messages, "\n"), "1 file registered", " completed")
	stop()
	contains(t, "the log of the worker", strings.Join(onlyRecords(t, stderr.String()), "\n"), "worker started", "Stop it with Ctrl-C", "transfer completed")
	for _, args := range [][]string{
		{"run", s.path("absent")}, {"results", "nonsense"}, {"nonsense"}, {"worker", "--grace", "nonsense"},
		{"status", "--database", "mysql://127.0.0.1:1/x"}, {"worker", "--redis", "redis://127.0.0.1:1"},
	} {
		r := s.do(args...)
		if messages := onlyRecords(t, r.stderr); r.code == exitOK || len(messages) == 0 {
			t.Errorf("%v: exit code %d, stderr %q", args, r.code, r.stderr)
		}
	}
}
