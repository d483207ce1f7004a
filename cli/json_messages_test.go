package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// With --json, standard error holds JSON only.
func TestStandardErrorIsJSONToo(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("lines.jsonl", `{"id":1}`+"\n")
	for _, c := range []struct {
		code  int
		args  string
		types string // among others
		part  string
	}{
		{exitOK, "run in --json -vv", "progress", `"files":1,"bytes":5,"finished":1,"failed":0,"done":1,"of":1,"sealed":true`},
		{exitOK, "submit in --json", "progress", `"files":1`},
		{exitError, "run gone --json", "error", "no file was registered"},
		{exitError, "status 12 --json", "error", "no such transfer: 12"},
		{exitUsage, "run --nope --json", "error", `"usage":"baler run PATH... [flags]"`},
		{exitOK, "retry 1 --outcome succeeded --json", "note", "no worker is running"},
	} {
		r := s.must(c.code, strings.Fields(strings.ReplaceAll(c.args, " in", " "+s.path("in")))...)
		for line := range strings.Lines(r.stderr) {
			var o struct {
				Type string `json:"type"`
				Msg  string `json:"msg"` // of the log
			}
			if err := json.Unmarshal([]byte(line), &o); err != nil || o.Type == "" && o.Msg == "" {
				t.Errorf("%s: %v in %s", c.args, err, line)
			}
		}
		if !strings.Contains(r.stderr, `"type":"`+c.types+`"`) || !strings.Contains(r.stderr, c.part) {
			t.Errorf("%s lacks %s with %s:\n%s", c.args, c.types, c.part, r.stderr)
		}
	}
}
