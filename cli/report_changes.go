package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// reportRun reports a run, and returns its exit code.
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
	if !f.quiet {
		p.noteEarlierRuns(ran)
	}
	return runCode(ran)
}

// noteEarlierRuns reports failures, damaged files and paused transfers of earlier runs.
func (p *program) noteEarlierRuns(ran *baler.RunResult) {
	for i := range ran.Previous {
		p.notef("Transfer %s, which had files to retry, is %s.", number(&ran.Previous[i]), stateOf(&ran.Previous[i]))
	}
	for i := range ran.Failures {
		if f := &ran.Failures[i]; f.Transfer.ID != ran.Transfer.ID || !ran.FoundChanges {
			p.notef("%s failed in transfer %s: repair the cause and run 'baler retry %s', or accept the failures with --accept-failures.",
				files(f.Files), number(&f.Transfer), number(&f.Transfer))
		}
	}
	for i := range ran.Damaged {
		if ran.Fixity != nil && !p.json {
			break // the report lists them
		}
		p.notef("damaged: %s: its content has changed, although its size and time are the same", quoted(ran.Damaged[i].Path))
	}
	if n := ran.DamagedFiles; n > 0 {
		p.notef("%s damaged. Restore good copies and run again, or accept the content as it is with --accept-failures.", are(n))
	}
	if ran.Fixity != nil && ran.Fixity.Missing > 0 {
		p.notef("%s missing. Put back what is missing and run again; or accept that it is gone with --accept-missing.", are(ran.Fixity.Missing))
	}
	for i := range ran.Paused {
		t := &ran.Paused[i]
		p.notef("Transfer %s is paused, with %s to process: run 'baler resume %s', and then this command again.",
			number(t), files(t.Files-t.Finished), number(t))
	}
}

// runCode is the exit code of a run: exitFailures if files of this or an earlier run
// failed, are damaged, or wait in a paused transfer.
func runCode(ran *baler.RunResult) error {
	code := failed(&ran.Final)
	if ran.FoundChanges {
		code = cmp.Or(code, failed(&ran.Transfer))
	}
	for i := range ran.Previous {
		code = cmp.Or(code, failed(&ran.Previous[i]))
	}
	if len(ran.Failures)+len(ran.Paused) > 0 || ran.DamagedFiles > 0 || ran.Fixity != nil && ran.Fixity.Bad() {
		code = codeError(exitFailures)
	}
	return code
}

// summarizeRun writes the summary of the transfer that ran, with the changes of the run.
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
	s := p.newSummary(last)
	s.Changes = &ran.Changes
	s.Damaged = ran.DamagedFiles
	s.Fixity = newFixitySummary(ran)
	return p.object(s)
}

// describeChanges says how the files of a run differ from those of earlier runs.
func (p *program) describeChanges(ran *baler.RunResult) {
	if ran.Fixity != nil {
		p.reportFixity(ran)
		return
	}
	if line := changesLine(ran.Changes); line != "" {
		fmt.Fprintf(p.stdout, "\n%s\n", line)
	}
}

func (p *program) describeRun(ctx context.Context, b *baler.Baler, ran *baler.RunResult) error {
	t := &ran.Transfer
	if ran.FoundChanges {
		p.report(p.stdout, t, p.now())
		p.describeChanges(ran)
	} else {
		there := files(ran.Changes.Unchanged + ran.Changes.Accepted)
		if n := ran.Changes.Accepted; n > 0 {
			there += ", of which " + count(n) + " failed and accepted"
		}
		since := fmt.Sprintf("since transfer %s finished at %s", number(t), local(t.EndedAt))
		if gone := ran.Changes.Gone; gone > 0 {
			p.printf("No file was added or changed %s (%s); %s gone.", since, there, are(gone))
		} else {
			p.printf("No changes %s (%s).", since, there)
		}
	}
	if ran.Final.UUID != "" {
		p.printf("\nTransfer %s ran final steps over all files.", number(&ran.Final))
		p.reportFinalizers(p.stdout, &ran.Final)
	}
	if ran.FoundChanges {
		if err := p.reportFailures(ctx, p.stdout, direct{b}, t); err != nil {
			return err
		}
	}
	if err := p.reportWritten(p.stdout, b, ran); err != nil || !ran.FoundChanges {
		return err
	}
	p.reportDeadline(p.stdout, t, ", and then run this command again.\n"+
		"Without the retry, the command processes all "+files(t.Files)+" again, also those that have succeeded")
	return nil
}

// reportWritten says where final steps have written something in this run.
func (p *program) reportWritten(w io.Writer, b *baler.Baler, ran *baler.RunResult) error {
	var all []*tasks.Transfer
	if ran.FoundChanges {
		all = append(all, &ran.Transfer)
	}
	if ran.Final.UUID != "" {
		all = append(all, &ran.Final)
	}
	list := newTable(column{title: "WRITTEN BY"}, words("PATH"))
	for _, t := range all {
		written, err := b.WrittenOutputs(t)
		if err != nil {
			return err
		}
		for _, o := range written {
			list.row(o.Step, printable(o.Path))
		}
	}
	if len(list.rows) > 0 {
		fmt.Fprintln(w)
		list.write(w) // a path is whole, to be copied
	}
	return nil
}

// are returns "1 file is" or "N files are".
func are(n int64) string {
	if n == 1 {
		return "1 file is"
	}
	return files(n) + " are"
}

// changesLine describes the changes since the last run; it is empty for the first run.
func changesLine(c baler.RunChanges) string {
	if c.Changed+c.Retried+c.Accepted+c.Reread+c.Gone+c.Unchanged == 0 {
		return ""
	}
	parts := []string{count(c.Added) + " added", count(c.Changed) + " changed"}
	if c.Retried > 0 {
		parts = append(parts, count(c.Retried)+" tried again")
	}
	if c.Reread > 0 {
		parts = append(parts, count(c.Reread)+" read again")
	}
	if c.Accepted > 0 {
		parts = append(parts, count(c.Accepted)+" failed and accepted")
	}
	return "Files: " + strings.Join(append(parts, count(c.Gone)+" gone", count(c.Unchanged)+" unchanged"), ", ")
}
