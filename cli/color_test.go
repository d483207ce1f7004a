package cli

import (
	"bytes"
	"strings"
	"testing"
)

// Colors are for terminals, unless somebody says otherwise; NO_COLOR wins over the terminal.
func TestColors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env, flag string
		want      bool
	}{
		{"", "auto", false}, // no terminal
		{"", "always", true},
		{"", "never", false},
		{"CLICOLOR_FORCE=1", "auto", true},
		{"CLICOLOR_FORCE=0", "auto", false},
		{"CLICOLOR_FORCE=1 NO_COLOR=1", "auto", false},
		{"CLICOLOR_FORCE=1", "never", false},
		{"NO_COLOR=1", "always", true},
	} {
		p := newProgram(strings.Fields(c.env))
		p.color = c.flag
		if got := p.colors(&bytes.Buffer{}); got != c.want {
			t.Errorf("%q --color %s: %v", c.env, c.flag, got)
		}
	}
}

func TestColoredOutput(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.must(exitFailures, "run", "-q", "--missing-ok", s.path("in"), s.path("gone"))
	for command, want := range map[string]string{
		"status":          "\x1b[31mwith failures\x1b[0m",
		"status latest":   "\x1b[31mfailed   \x1b[0m",
		"results latest":  "\x1b[32msucceeded\x1b[0m  ",
		"failures latest": "\x1b[31mfailed\x1b[0m  ",
	} {
		colored, plain := s.must(exitOK, append(strings.Fields(command), "--color=always")...).stdout, s.must(exitOK, strings.Fields(command)...).stdout
		contains(t, command, colored, want)
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s has colors without a terminal:\n%q", command, plain)
		}
		if strings.Fields(sgr.ReplaceAllString(colored, ""))[0] != strings.Fields(plain)[0] {
			t.Errorf("%s says something else in colors", command)
		}
	}
	contains(t, "a wrong word", s.must(exitUsage, "status", "--color", "alway").stderr, `"alway" is not known; did you mean "always"?`)
	if j := s.must(exitOK, "results", "latest", "--json", "--color=always").stdout; strings.Contains(j, "\x1b") {
		t.Errorf("JSON has colors: %q", j)
	}
}

// Colors do not count for the width of a column.
func TestColoredTablesLineUp(t *testing.T) {
	t.Parallel()
	list := newTable(outcomes("OUTCOME"), column{title: "PATH", shrink: start}, alarming("FAILED", "", red)).within(30).colored(true)
	list.row("failed", "/data/"+strings.Repeat("x", 40), "12")
	list.row("succeeded", "/data/b", "0")
	var b bytes.Buffer
	list.write(&b)
	equal(t, "table", b.String(), "OUTCOME    PATH         FAILED\n"+
		"\x1b[31mfailed\x1b[0m     …xxxxxxxxxx      \x1b[31m12\x1b[0m\n\x1b[32msucceeded\x1b[0m  /data/b           0\n")
}
