package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/balerhq/baler"
)

// reportRun says what a run did, and gives its exit code.
func (p *program) reportRun(ctx context.Context, b *baler.Baler, ran *baler.RunResult, f *runFlags) error {
	switch {
	case p.json:
		if err := p.summarizeRun(ran); err != nil {
			return err
		}
	case !f.quiet:
		if err := p.describeRun(ctx, b, ran); err != nil {
			return err
		}
	}
	for i := range ran.Previous {
		if other := &ran.Previous[i]; !f.quiet {
			p.notef("Transfer %s, which had files to retry, is %s.", number(other), stateOf(other))
		}
	}
	return runCode(ran)
}

// runCode is the exit code of a run.
func runCode(ran *baler.RunResult) error {
	code := failed(&ran.Final)
	if ran.FoundChanges {
		code = cmp.Or(code, failed(&ran.Transfer))
	} else if totals := ran.Transfer.Totals(); totals.Failures() > 0 || totals.Canceled > 0 {
		code = codeError(exitFailures)
	}
	for i := range ran.Previous {
		code = cmp.Or(code, failed(&ran.Previous[i]))
	}
	return code
}

// summarizeRun writes the summary of the transfer that ran, last, with what the run found.
func (p *program) summarizeRun(ran *baler.RunResult) error {
	last := &ran.Transfer
	if ran.Final.UUID != "" {
		if ran.FoundChanges {
			if err := p.summarize(&ran.Final); err != nil {
				return err
			}
		} else {
			last = &ran.Final
		}
	}
	s := newSummary(last)
	s.Changes = &ran.Changes
	return p.object(s)
}

func (p *program) describeRun(ctx context.Context, b *baler.Baler, ran *baler.RunResult) error {
	t := &ran.Transfer
	if ran.FoundChanges {
		report(p.stdout, t, time.Now())
		if line := changesLine(ran.Changes); line != "" {
			fmt.Fprintf(p.stdout, "\n%s\n", line)
		}
	} else {
		since := fmt.Sprintf("since transfer %s finished at %s", t.UUID, local(t.EndedAt))
		if gone := ran.Changes.Gone; gone > 0 {
			p.printf("No file was added or changed %s (%s); %s gone.", since, files(ran.Changes.Unchanged), are(gone))
		} else {
			p.printf("No changes %s (%s).", since, files(ran.Changes.Unchanged))
		}
	}
	if ran.Final.UUID != "" {
		p.printf("\nTransfer %s ran final steps over all files.", ran.Final.UUID)
		reportFinalizers(p.stdout, &ran.Final)
	}
	return reportFailures(ctx, p.stdout, b, t)
}

// are is a number of files that are something, in words.
func are(n int64) string {
	if n == 1 {
		return "1 file is"
	}
	return files(n) + " are"
}

// changesLine says what another run has found; it is empty for the first.
func changesLine(c baler.RunChanges) string {
	if c.Changed+c.Retried+c.Gone+c.Unchanged == 0 {
		return ""
	}
	parts := []string{count(c.Added) + " added", count(c.Changed) + " changed"}
	if c.Retried > 0 {
		parts = append(parts, count(c.Retried)+" tried again")
	}
	return "Files: " + strings.Join(append(parts, count(c.Gone)+" gone", count(c.Unchanged)+" unchanged"), ", ")
}
