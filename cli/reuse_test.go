package cli

import (
	"strings"
	"testing"
)

func TestReuseIsShownAndForgotten(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("in/b.txt", "beta")
	s.file("again/sub/b.txt", "beta")
	mine := s.file("mine.yaml", "name: mine\nsteps:\n  - handler: checksum\n  - handler: identify\n    reuse: digest\n")
	contains(t, "none", s.must(exitOK, "reuse").stdout, "No result can be reused")
	first := s.must(exitOK, "run", "--json", "--recipe", mine, s.path("in")).summary(t)
	if first.Steps[1].Reused != 0 {
		t.Errorf("%d results of the first transfer are reused", first.Steps[1].Reused)
	}
	contains(t, "counts", s.must(exitOK, "reuse").stdout, "identify        2")
	second := s.must(exitOK, "run", "--json", "--recipe", mine, s.path("again")).summary(t)
	if second.Steps[0].Reused != 0 || second.Steps[1].Reused != 1 {
		t.Errorf("steps of the second transfer: %+v", second.Steps)
	}
	contains(t, "status", s.must(exitOK, "status", second.Transfer).stdout, "REUSED")
	lines := s.must(exitOK, "results", second.Transfer, "--json", "--step", "identify").stdout
	contains(t, "JSON", lines, `"reused_from":"`+first.Transfer+`","reused_file":2,"ran_at":"20`)
	contains(t, "table", s.must(exitOK, "results", second.Transfer, "--step", "identify").stdout, first.Transfer)
	csv := s.must(exitOK, "results", second.Transfer, "--step", "identify", "--format", "csv", "--columns", "path,reused_from").stdout
	contains(t, "CSV", csv, "b.txt,"+first.Transfer)

	s.file("third/b.txt", "beta")
	third := s.must(exitOK, "run", "--json", "--no-reuse", "--recipe", mine, s.path("third")).summary(t)
	if third.Steps[1].Reused != 0 {
		t.Errorf("%d results are reused with --no-reuse", third.Steps[1].Reused)
	}
	contains(t, "neither", s.must(exitUsage, "reuse", "forget").stderr, "say which results: --all, or --handler NAME")
	contains(t, "both", s.must(exitUsage, "reuse", "forget", "--all", "--handler", "identify").stderr, "say which results")
	contains(t, "unknown", s.must(exitError, "reuse", "forget", "--handler", "identfy").stderr, "no result of this handler can be taken over")
	equal(t, "forget", s.must(exitOK, "reuse", "forget", "--older-than", "1d", "--json").stdout, `{"type":"forgotten","results":0}`+"\n")
	equal(t, "forget", s.must(exitOK, "reuse", "forget", "--handler", "identify").stdout,
		"Forgot 2 results. Files run again that would have reused them.\n")
	if n := strings.Count(s.must(exitOK, "reuse").stdout, "identify"); n != 0 {
		t.Error("results that were forgotten are there")
	}
}

func TestReuseOfAHandlerThatWrites(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	mine := s.file("mine.yaml", "name: mine\nsteps:\n  - handler: thumbnail\n    with: {to: /tmp/x}\n    reuse: unchanged\n")
	contains(t, "error", s.must(exitError, "recipe", "validate", mine).stderr,
		`mine.yaml:5: step thumbnail: reuse: the results of handler "thumbnail" cannot be taken over`)
}
