package cli

import (
	"os"
	"strings"
	"testing"
)

// Before a transfer begins, the command names programs that the recipe needs and that are
// not installed, and says how to get them.
func TestMissingProgramsAreNamed(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "text")
	if err := os.Chmod(s.file("here", "#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	own := s.file("own.yaml", `name: own
steps:
  - name: properties
    handler: exec
    rules:
      - {name: films, ext: mov, with: {command: [no-such-program, "${path}"]}}
      - {name: sounds, ext: wav, with: {command: [no-such-program, "${name}"]}}
      - {name: chosen, ext: x, with: {command: ["${name}"]}}
  - {name: here, handler: exec, with: {command: [./here]}}
  - {name: away, handler: exec, with: {command: [./away, "${path}"]}}
`)
	const films = "no-such-program is not installed here (step properties, rule films; step properties, rule sounds): install it, or correct the name"
	want := "warning: " + films + ". Files that need it end as errors (command-not-found).\n" +
		"warning: ./away is not installed here (step away): install it, or correct the name. Files that need it end as errors (command-not-found).\n"
	validated := s.must(exitOK, "recipe", "validate", own)
	equal(t, "validate", validated.stdout, "own is valid.\n")
	equal(t, "validate", validated.stderr, want)
	contains(t, "validate in JSON", s.must(exitOK, "recipe", "validate", own, "--json").stdout, `"valid":true,"problems":[],"warnings":["`+films)
	if ran := s.must(exitOK, "run", "--dry-run", "--recipe", own, s.path("in")); !strings.HasPrefix(ran.stderr, want) {
		t.Errorf("run says\n%s", ran.stderr)
	}
}
