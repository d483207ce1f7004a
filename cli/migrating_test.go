package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// blocks returns the code blocks of a page in a language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	testkit.Must(t, err)
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	return all
}

// The recipes of the page are valid, and its client script runs as the page shows it.
func TestMigrationExamples(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	recipes := blocks(t, "../docs/migrating.md", "yaml")
	scripts := blocks(t, "../docs/migrating.md", "python")
	if len(recipes) != 4 || len(scripts) != 2 || !strings.HasPrefix(scripts[0], "def call") {
		t.Fatalf("the page has %d recipes and %d scripts; the test knows 4 and 2", len(recipes), len(scripts))
	}
	s.file("client_script.py", scripts[0])
	s.file("store.py", "def call(jobs): pass\n")
	for _, r := range recipes {
		s.must(exitOK, "recipe", "validate", s.file("recipe.yaml", r))
	}
	s.file("in/full.txt", "content")
	s.file("in/empty.txt", "")
	got := s.must(exitFailures, "run", "--recipe", s.file("client.yaml", recipes[1]), s.path("in"))
	contains(t, "run", got.stdout, "coprocess")
	lines := s.must(exitOK, "results", "latest", "--step", "coprocess", "--json").stdout
	for _, want := range []string{`"outcome":"failed","exit_code":1`, `"outcome":"succeeded","exit_code":0`, "sha256 e3b0c44298fc"} {
		contains(t, "results", lines, want)
	}

	// The converted recipe gives the same verdicts.
	s.must(exitFailures, "run", "--recipe", s.file("converted.yaml", recipes[2]), s.path("in"))
	lines = s.must(exitOK, "results", "latest", "--step", "exec", "--json").stdout
	for _, want := range []string{`empty.txt","step":"exec","outcome":"failed"`, `full.txt","step":"exec","outcome":"succeeded"`} {
		contains(t, "results of the converted recipe", lines, want)
	}
}
