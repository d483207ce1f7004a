package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/testkit"
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
		"baler worker ", "baler serve ", "baler watch ", "baler queue ", "baler reconcile", "baler workers pause ", "baler workers resume ",
		"baler workers drain ", "baler workers log ", "baler submit --resume ", "baler bench ", "baler deadletters show ", "baler retry $id --group ",
		"baler deadletters requeue ", "baler deadletters discard 7", "baler approve ", "baler reject ", "baler notify ",
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

// commandTree has all commands, with those that cobra makes.
func commandTree() *cobra.Command {
	p := newProgram(nil)
	root := p.rootCommand()
	p.addGenerated(root)
	return root
}

// TestDocumentedFlags holds docs/cli.md against the flags that there are.
func TestDocumentedFlags(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := func(part string) {
		if !strings.Contains(string(text), part) {
			t.Errorf("docs/cli.md lacks %q", part)
		}
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		documented(cmd.CommandPath())
		for line := range strings.Lines(cmd.LocalNonPersistentFlags().FlagUsages() + cmd.PersistentFlags().FlagUsages()) {
			_, flag, ok := strings.Cut(line, "--")
			if name, _, _ := strings.Cut(flag, " "); ok {
				documented("--" + strings.TrimSpace(name))
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	root := commandTree()
	for _, cmd := range root.Commands() {
		documented("\n## " + cmd.Name() + "\n")
	}
	walk(root)
}

// The manual has a page for each command, with its flags.
func TestManualPages(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.must(exitOK, "man", s.path("share/man1"))
	page, err := os.ReadFile(s.path("share/man1/baler-submit.1"))
	testkit.Must(t, err)
	contains(t, "baler-submit(1)", string(page), ".TH ", "BALER-SUBMIT", "Submit files for processing by workers", `--key`, "EXAMPLE", "--server", `baler(1)`)
	for _, name := range []string{"baler.1", "baler-queue-pause.1", "baler-recipe-explain.1"} {
		if _, err := os.Stat(s.path("share/man1/" + name)); err != nil {
			t.Error(err)
		}
	}
	if strings.Contains(string(page), "Auto generated") || strings.Contains(string(page), s.dir) {
		t.Errorf("the page depends on when and where it was made:\n%s", page)
	}
	contains(t, "a file in the way", s.must(exitError, "man", s.file("file", "")).stderr, "write manual pages: mkdir ")
}

// The help of each command fits into a terminal of 100 columns.
func TestHelpIsNotWide(t *testing.T) {
	t.Parallel()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Long + "\n\n" + cmd.UsageString()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > helpWidth {
				t.Errorf("%s --help has a line of %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(commandTree())
}
