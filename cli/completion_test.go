package cli

import (
	"os"
	"strings"
	"testing"
)

func (s *testEnv) completed(args ...string) string {
	s.t.Helper()
	r := s.must(exitOK, append([]string{"__complete"}, args...)...)
	if before, _, _ := strings.Cut(r.stderr, "Completion ended with directive"); strings.TrimSpace(before) != "" {
		s.t.Errorf("%q says on standard error: %s", args, r.stderr)
	}
	return r.stdout
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	s.must(exitFailures, "run", "-q", "--name", "nightly", "--missing-ok", "--recipe", s.twoSteps(), s.path("in"), s.path("gone"))
	s.must(exitOK, "run", "-q", "--name", "two words", s.path("in"))
	url := s.served("--concurrency", "2")
	s.must(exitOK, "submit", "--wait", "--name", "nightly2", s.path("in"))
	for _, server := range [][]string{nil, {"--server", url}} {
		for command, want := range map[string][]string{
			"status \"\"":                        {"latest\tnightly2, completed\n", "1\tnightly, completed with failures\n", "2\ttwo words, completed\n", "nightly2\t", "0"},
			"results night":                      {"nightly\tnightly, completed with failures\n", "nightly2\t"},
			"failures lat":                       {"latest\t"},
			"retry \"\"":                         {"latest\t"},
			"cancel \"\"":                        {"latest\t"},
			"pause \"\"":                         {"latest\t"},
			"resume \"\"":                        {"latest\t"},
			"retry nightly --step \"\"":          {"checksum\tchecksum\n", "identify\tidentify\n"},
			"results nightly --code \"\"":        {"not-found\n"},
			"results nightly --outcome failed,e": {"failed,error\n"},
			"results nightly --columns path,out": {"path,outcome\n", "path,output\n"},
			"limit --transfer night":             {"nightly\t"},
			"limit --queue d":                    {"default\n"},
			"queue pause \"\"":                   {"default\n"},
			"workers drain \"\"":                 {"\trunning\n"},
			"submit --recipe check":              {"checksum\n"},
			"recipe show def":                    {"default\n"},
			"status --color a":                   {"always\n", "auto\n"},
		} {
			args := strings.Fields(strings.ReplaceAll(command, `""`, "\x00"))
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "\x00", "")
			}
			args = append(append(args[:1:1], server...), args[1:]...) // what is completed comes last
			contains(t, strings.Join(args, " "), s.completed(args...), want...)
		}
	}
	if got := s.completed("results", "nightly", "--outcome", "failed,f"); strings.Contains(got, "failed,failed") {
		t.Errorf("it completes what is there: %s", got)
	}
	if got := s.completed("status", "tw"); strings.Contains(got, "two words") {
		t.Errorf("a name of several words is completed: %s", got)
	}
}

// Completion makes no database, and is silent about what does not answer.
func TestCompletionOfNothing(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	equal(t, "without a database", s.completed("status", ""), ":4\n")
	equal(t, "a server that does not answer", s.completed("--server", "http://127.0.0.1:1", "status", ""), ":4\n")
	equal(t, "a wrong setting", s.completed("--server", "nonsense", "retry", "latest", "--step", ""), ":4\n")
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) > 0 {
		t.Errorf("it made %v: %v", entries, err)
	}
}
