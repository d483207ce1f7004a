package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
)

// A program with a handler of its own has the whole command line, by its own name.
func TestProgramWithItsOwnHandler(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("own.yaml", "name: own\nsteps: [{handler: shout}]\n")
	registry := &handlers.Registry{}
	shout := handlers.PerFile(func(_ context.Context, j *handlers.Job) error { return j.SetFact("word", "HEY") })
	if err := registry.Register("shout", shout, handlers.WithFacts("word")); err != nil {
		t.Fatal(err)
	}
	mine := func(code int, args string) ran {
		t.Helper()
		var stdout, stderr buffer
		p := &program{name: "mine", registry: registry, env: s.env}
		got := p.execute(t.Context(), strings.Fields(strings.ReplaceAll(args, "DIR", s.dir)), s.from, &stdout, &stderr)
		if got != code {
			t.Errorf("mine %s: exit code %d, want %d\n%s", args, got, code, stderr.String())
		}
		return ran{got, stdout.String(), stderr.String()}
	}
	help := mine(exitOK, "--help").stdout
	contains(t, "help", help, "  mine run ~/collection\n", "mine [command] --help", `try "mine run DIR"`)
	contains(t, "help of a command", mine(exitOK, "run --help").stdout, "mine run PATH... [flags]", "  mine run --recipe checksum")
	contains(t, "usage", mine(exitUsage, "run").stderr, "usage: mine run PATH...", "See 'mine run --help'.")
	mine(exitOK, "run --quiet --recipe DIR/own.yaml DIR/in")
	contains(t, "results", mine(exitOK, "results latest").stdout, "  WORD\n", "  HEY\n")
	contains(t, "validate", mine(exitError, "recipe validate checksum").stderr, `no handler is called "checksum"`)
	contains(t, "hint of a report", mine(exitFailures, "run --missing-ok --recipe DIR/own.yaml DIR/gone").stdout, "All of them: mine results 2 --outcome")
	contains(t, "hint of an error", mine(exitUsage, "run -").stderr, "use 'mine submit -'")
	contains(t, "hint", mine(exitOK, "workers").stdout, "start one with 'mine worker'")
}
