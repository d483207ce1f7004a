package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// examples are the lines of the blocks marked sh in docs/cli.md.
func examples(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && line != "":
			all = append(all, line)
		}
	}
	return all
}

// onlyParsed reports whether a command serves until it is stopped, or needs
// what a sandbox does not have: a queue on a server, a worker, a dead producer.
func onlyParsed(line string) bool {
	for _, prefix := range []string{
		"baler worker ", "baler serve ", "baler queue ", "baler reconcile", "baler workers pause ", "baler workers resume ",
		"baler workers drain ", "baler submit --resume ", "baler bench ", "baler deadletters show ",
		"baler deadletters requeue ", "baler deadletters discard 7",
	} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// TestDocumentedCommands runs the documentation from top to bottom as a shell
// script, but for what is only parsed.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("collection/a.txt", "alpha")
	s.file("photos/b.txt", "beta")
	s.file("password.txt", "correct horse battery\n")
	s.file("events.jsonl", `{"id":1,"kind":"click","user":{"name":"a"}}`+"\n")
	path := binary(t)
	s.env = append(s.env, "PATH="+path[:strings.LastIndexByte(path, '/')]+":"+os.Getenv("PATH"))
	script := "set -eux\ncd ~\n"
	for _, line := range examples(t) {
		if onlyParsed(line) {
			line += " --help"
		}
		if strings.HasPrefix(line, "baler status --watch") {
			line = "baler run --quiet photos\n" + line // this works on all that waits, so that there is an end to watch for
		}
		script += line + "\n"
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v after\n%s", err, out)
	}
	if n := strings.Count(string(out), "+ baler "); n < 30 {
		t.Errorf("only %d examples ran", n)
	}
}

// TestDocumentedFlags holds docs/cli.md against the flags that there are.
func TestDocumentedFlags(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	root := newProgram(nil).rootCommand()
	for _, cmd := range root.Commands() {
		contains(t, "docs/cli.md", string(text), "\n## "+cmd.Name()+"\n")
		for line := range strings.Lines(cmd.LocalNonPersistentFlags().FlagUsages()) {
			_, flag, ok := strings.Cut(line, "--")
			if name, _, _ := strings.Cut(flag, " "); ok {
				contains(t, "docs/cli.md", string(text), "--"+strings.TrimSpace(name))
			}
		}
	}
}
