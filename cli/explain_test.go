package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// Which steps and rules apply to real files, and why.
func TestRecipeExplain(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", strings.Repeat("plain text\n", 200))
	s.file("in/b.pdf", "%PDF-1.4\n%%EOF\n")
	s.file("in/c.txt", "")
	s.file("in/d.txt", "d")
	own := s.file("own.yaml", `name: own
steps:
  - handler: identify
  - name: convert
    handler: exec
    with: {env: [A]}
    rules:
      - {name: empty, max_size: 1, nothing: true}
      - {name: long, mime: text/plain, when: size > 1KiB, with: {command: [wc, "${name}"], facts: {patterns: ['(?P<lines>\d+)']}}}
      - {name: pdf, puid: [fmt/18, fmt/19], with: {command: [a b], facts: {patterns: ['(?P<lines>\d+)']}}}
  - {name: many, handler: checksum, rules: [{name: few, ext: pdf}, {name: many, when: facts.lines > 3}]}
  - {name: broken, handler: noop, when: facts.mime * 2 > 1}
`)
	ran := s.must(exitOK, "recipe", "explain", "--json", own, s.path("in"), "--files", "3")
	contains(t, "the rest", ran.stderr, "in has more files")
	type answer struct {
		Step    string `json:"step"`
		Applies string `json:"applies"`
		Rule    string `json:"rule"`
		Why     string `json:"why"`
	}
	var got [][]answer
	for line := range strings.Lines(ran.stdout) {
		var e struct {
			Steps []answer `json:"steps"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Steps)
	}
	broken := answer{"broken", "yes", "", `an error: step broken: when "facts.mime * 2 > 1": invalid operation: text * number (column 12)`}
	want := [][]answer{
		{
			{"identify", "yes", "", "every file"}, {"convert", "yes", "long", "mime text/plain, when size > 1KiB"},
			{"many", "unknown", "many", "when facts.lines > 3: only a run knows the fact lines"}, broken,
		},
		{
			{"identify", "yes", "", "every file"}, {"convert", "yes", "pdf", "puid in fmt/18, fmt/19"},
			{"many", "yes", "few", "ext .pdf"}, broken,
		},
		{
			{"identify", "yes", "", "every file"}, {"convert", "no", "empty", "nothing to do: max_size 1"},
			{"many", "no", "", "no rule matches"}, broken,
		},
	}
	if len(got) != len(want) {
		t.Fatalf("%d files:\n%s", len(got), ran.stdout)
	}
	for i := range want {
		for j := range want[i] {
			if j >= len(got[i]) || got[i][j] != want[i][j] {
				t.Errorf("file %d: got %q, want %q", i, got[i], want[i])
				break
			}
		}
	}
	text := s.must(exitOK, "recipe", "explain", own, s.path("in/a.txt")).stdout
	contains(t, "text", text, "in/a.txt (x-fmt/111, text/plain)\n")
	contains(t, "text", text, "runs wc a.txt")
	s.must(exitError, "recipe", "explain", own, s.path("missing"))
	s.must(exitUsage, "recipe", "explain", own)
}
