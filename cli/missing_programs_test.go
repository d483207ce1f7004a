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

// Before a transfer begins, the command names folders that the recipe is to write and cannot.
func TestUnwritableOutputsAreNamed(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "text")
	file := s.file("out/file", "no folder")
	own := s.file("own.yaml", `name: own
steps:
  - {name: keep, handler: copy, with: {to: "`+file+`/sub/${name}"}}
  - {name: well, handler: copy, with: {to: "`+s.path("out/new")+`"}}
finally:
  - {name: sums, handler: manifest, with: {to: "`+file+`/sub/sums.txt"}}
  - {name: more, handler: manifest, with: {to: "`+s.path("out")+`/${transfer}.txt"}}
`)
	problem := file + " is not a folder; move it away, or name another folder. What is to be written there ends as an error.\n"
	want := "warning: " + file + "/sub cannot be written (step keep; final step sums): " + problem
	equal(t, "validate", s.must(exitOK, "recipe", "validate", own).stderr, want)
	if ran := s.must(exitOK, "run", "--dry-run", "--recipe", own, s.path("in")); !strings.HasPrefix(ran.stderr, want) {
		t.Errorf("run says\n%s", ran.stderr)
	}
	s.env = append(s.env, "BALER_OUTPUTS="+s.path("gone"))
	gone := s.file("gone.yaml", "name: gone\nsteps: [{handler: copy, with: {to: "+s.path("gone/x")+"}}]\n")
	contains(t, "validate", s.must(exitOK, "recipe", "validate", gone).stderr,
		s.path("gone")+", which is in BALER_OUTPUTS, does not exist; make the folder, or correct BALER_OUTPUTS")
	contains(t, "validate", s.must(exitOK, "recipe", "validate", own).stderr, "it is outside the folders in BALER_OUTPUTS; add its folder")
}
