package cli

import (
	"strings"
	"testing"
)

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	s.must(exitOK, "run", "-q", "--name", "Nightly", s.path("in"))
	url := s.served()
	s.must(exitOK, "submit", "--wait", "--name", "other", s.path("in"))
	for _, server := range []string{"", " --server " + url} {
		for _, c := range []struct {
			command string
			code    int
			want    string
		}{
			{"results x --outcme failed", exitUsage, `unknown flag: --outcme; did you mean "--outcome"?`},
			{"status --lmit 3", exitUsage, `did you mean "--limit"?`},
			{"status --jsn", exitUsage, `did you mean "--json"?`},
			{"results x --outcome timedout", exitUsage, `did you mean "timed_out"?`},
			{"results x --format cvs", exitUsage, `did you mean "csv"?`},
			{"results other --step idntify", exitError, `did you mean "identify"?`},
			{"results other --columns pth,sha265", exitOK, `did you mean "sha256"?`},
			{"retry other --step Identify", exitError, `did you mean "identify"?`},
			{"status nigtly", exitError, `no such transfer: nigtly; did you mean "Nightly"?`},
			{"status nightly", exitError, `did you mean "Nightly"?`},
			{"pause lates", exitError, `did you mean "latest"?`},
			{"limit --transfer othr --in-flight 1", exitError, `did you mean "other"?`},
			{"submit --via blk /x", exitUsage, `did you mean "bulk"?`},
			{"queue pause defult", exitError, `did you mean "default"?`},
		} {
			contains(t, c.command+server, s.must(c.code, strings.Fields(c.command+server)...).stderr, c.want)
		}
		for _, command := range []string{"status 21", "status nothing", "status --frobnicate", "retry other --step x"} {
			if r := s.do(strings.Fields(command + server)...); strings.Contains(r.stderr, "did you mean") || r.code == exitOK {
				t.Errorf("%s: %d %s", command, r.code, r.stderr)
			}
		}
	}
	for command, want := range map[string]string{
		"recipe show defalt":         `did you mean "default"?`,
		"run --recipe chekcsum .":    `did you mean "checksum"?`,
		"diff other Nightlyy":        `did you mean "Nightly"?`,
		"delete othr":                `did you mean "other"?`,
		"completion bsh":             "",
		"run . --color=nevr":         `did you mean "never"?`,
		"submit --resume Nightl":     `did you mean "Nightly"?`,
		"results Nightl --rejected":  `did you mean "Nightly"?`,
		"deadletters lst":            `did you mean "list"?`,
		"bench pipelin":              `did you mean "pipeline"?`,
		"retry Nightl --finalizers":  `did you mean "Nightly"?`,
		"failures Nightl --limit 10": `did you mean "Nightly"?`,
	} {
		r := s.do(strings.Fields(command)...)
		contains(t, command, r.stderr, want)
	}
}
