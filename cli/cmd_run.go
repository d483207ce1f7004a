package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

type runFlags struct {
	recipe, name, via string
	webhooks          webhooks
	missingOK, quiet  bool
	acceptFailures    bool
	acceptMissing     bool
	reread            bool
	allowEmpty        bool
	noReuse           bool
	dryRun            bool
	ui                bool
	weight            int
	stopAfter         string
	deadline          string
	selecting         selectionFlags
}

func (p *program) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run PATH...",
		Short: "Register and process files in one process",
		Long: `Run registers the files at and below the paths, processes them, and prints a
report. It needs no server: by default the queue is embedded and the database is
a file in your state folder.

Run the same command again to continue after an interruption, or to process only
the files that were added or changed, or that failed. It exits with 3 as long as
files fail, in this run or since an earlier one, and with 130 if it was interrupted.

With the recipe fixity it reads all files, compares them with what any earlier
transfer of the same paths recorded, and exits with 3 when a file is damaged or
missing.

A run with other patterns or sizes is another run: it does not know which files
this one has processed.`,
		Example: `  baler run ~/collection
  baler run --recipe checksum --json photos videos
  baler run --recipe ./mine.yaml --concurrency 8 /srv/archive
  baler run --include '*.jpg' --include '*.tif' --ignore-case ~/photos
  baler run --recipe fixity ~/collection
  baler run --ui ~/collection
  baler run --dry-run --exclude .git/ --exclude '*.tmp' ~/work`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
				return err
			}
			if slices.Contains(args, "-") {
				return usagef("run reads no list from standard input, because running again needs the same paths; " +
					"name them, as in 'find … -print0 | xargs -0 baler run', or use 'baler submit -' (a file of this name is ./-)")
			}
			return checkPaths(args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := f.submission(args)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("weight") {
				s.Weight = 0 // a transfer that goes on keeps its own
			}
			return p.with(cmd, baler.Open, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.run(ctx, b, s, &f)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	p.recipeFlag(cmd, &f.recipe)
	viaFlag(cmd, &f.via)
	flags.StringVar(&f.name, "name", "", "`NAME` of the transfer (default: the first path)")
	weightFlag(cmd, &f.weight)
	stopAfterFlag(cmd, &f.stopAfter)
	deadlineFlag(cmd, &f.deadline)
	webhookFlag(cmd, &f.webhooks)
	f.selecting.add(cmd)
	dryRunFlag(cmd, &f.dryRun)
	flags.BoolVar(&f.reread, "reread", false,
		"read all files again, and compare their digests with those of earlier runs")
	flags.BoolVar(&f.allowEmpty, "allow-empty", false,
		"accept a source that is empty or missing although earlier runs found files there")
	flags.BoolVar(&f.acceptFailures, "accept-failures", false,
		"accept the failures of earlier runs: process those files again only when they change")
	flags.BoolVar(&f.acceptMissing, "accept-missing", false,
		"with a fixity recipe: accept that files which earlier runs reported as missing are gone")
	flags.BoolVar(&f.ui, "ui", false, "show the run in the browser, at an address of this host that it prints")
	noReuseFlag(cmd, &f.noReuse)
	concurrencyFlag(cmd)
	missingOKFlag(cmd, &f.missingOK)
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress, notes or report; only set the exit code")
	return cmd
}

// submission is what the flags ask for; the recipe is read later.
func (f *runFlags) submission(paths []string) (s baler.Submission, err error) {
	s = baler.Submission{
		Paths: paths, MissingOK: f.missingOK, Name: f.name, Weight: f.weight, Webhooks: f.webhooks,
		StopAfter: f.stopAfter, Deadline: f.deadline,
		AcceptFailures: f.acceptFailures, AcceptMissing: f.acceptMissing, Reread: f.reread, AllowEmpty: f.allowEmpty, NoReuse: f.noReuse,
	}
	if s.Via, err = parseVia(f.via); err != nil {
		return s, err
	}
	if err = checkWeight(f.weight); err != nil {
		return s, err
	}
	if err = f.webhooks.check(); err != nil {
		return s, err
	}
	s.Selection, err = f.selecting.get()
	return s, err
}

func (p *program) run(ctx context.Context, b *baler.Baler, s baler.Submission, f *runFlags) error {
	var err error
	if s.Recipe, err = b.Recipe(ctx, f.recipe); err != nil {
		return err
	}
	if f.acceptMissing && !s.Recipe.Fixity {
		return usagef("--accept-missing is for recipes that say fixity: true, such as --recipe fixity; %q does not", s.Recipe.Name)
	}
	if !f.quiet {
		p.warnOfMissingNeeds(ctx, b, s.Recipe)
		if err := p.warnOfUnsetLimits(ctx, b, s.Recipe); err != nil {
			return err
		}
	}
	if f.dryRun {
		return p.preview(ctx, s, b.PreviewRun)
	}
	var pages *runPages
	if f.ui {
		if pages, err = p.showPages(ctx, b); err != nil {
			return err
		}
	}
	err = p.runShown(ctx, b, s, f, pages)
	if ended := pages.end(ctx); err == nil { // how the run has ended counts
		err = ended
	}
	return err
}

// runShown runs, and prints what happens.
func (p *program) runShown(ctx context.Context, b *baler.Baler, s baler.Submission, f *runFlags, pages *runPages) error {
	notes := &skippedFiles{p: p, quiet: f.quiet}
	follower := p.follow(ctx, direct{b}, p.newDisplay(f.quiet, false))
	s.OnSkipped = notes.see
	s.OnCreated = func(t tasks.Transfer) {
		if !f.quiet {
			p.noteWeight(&t)
		}
		pages.tell(&t)
		follower.begin(t)
	}
	stopping := context.AfterFunc(ctx, func() {
		p.notef("Stopping: running batches finish first. Interrupt again to stop at once.")
	})
	ran, err := b.Run(ctx, s)
	stopping()
	ran.Transfer = reloadTransfer(ctx, b, ran.Transfer)
	switch {
	case ran.FoundChanges:
		follower.end(&ran.Transfer)
	case ran.Final.UUID != "":
		follower.end(&ran.Final)
	default:
		follower.end(nil)
	}
	notes.end()
	if stopped, ok := errors.AsType[*baler.StoppedError](err); ok {
		return p.stoppedByFailures(ctx, direct{b}, &stopped.Transfer, f.quiet)
	}
	if err != nil {
		return p.interrupted(ctx, &ran.Transfer, explainMissing(err))
	}
	return p.reportRun(ctx, b, &ran, f)
}

// failed returns the exit code of a transfer in which files or final steps failed, or
// that was canceled. Batches that ran at the cancellation may end as canceled after a
// retry.
func failed(t *tasks.Transfer) error {
	totals := t.Totals()
	if totals.Failures() > 0 || totals.Canceled > 0 || t.State == tasks.StateCanceled || len(t.FailedFinalizers()) > 0 {
		return codeError(exitFailures)
	}
	return nil
}

// reloadTransfer reads a transfer again after a run has ended or was interrupted. It
// returns t when there is no such transfer or the database does not answer.
func reloadTransfer(ctx context.Context, b *baler.Baler, t tasks.Transfer) tasks.Transfer {
	if t.UUID == "" {
		return t
	}
	now, err := b.Transfer(context.WithoutCancel(ctx), t.UUID)
	if err != nil {
		return t
	}
	return now
}

// interrupted reports the progress of a run that was interrupted, and returns every
// other error.
func (p *program) interrupted(ctx context.Context, t *tasks.Transfer, err error) error {
	if !isInterrupt(ctx, err) {
		return err
	}
	found := ""
	if t.State == tasks.StateOpen {
		found = " found so far"
	}
	p.notef("Interrupted: %s of %s%s are done. Run the same command again to continue.", count(t.Finished), files(t.Files), found)
	if p.json && t.UUID != "" {
		if err := p.summarize(t); err != nil {
			return err
		}
	}
	return codeError(exitInterrupted)
}
