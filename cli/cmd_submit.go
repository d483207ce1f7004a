package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

type submitFlags struct {
	recipe, name, key, queue, via, resume string
	webhooks                              webhooks
	filesFrom                             string
	null, missingOK, wait, dryRun         bool
	weight                                int
	stopAfter                             string
	deadline                              string
	noReuse                               bool
	selecting                             selectionFlags
}

func (p *program) submitCommand() *cobra.Command {
	var f submitFlags
	cmd := &cobra.Command{
		Use:   "submit PATH... | submit - | submit --files-from FILE | submit --resume ID",
		Short: "Submit files for processing by workers",
		Long: `Submit registers the files at and below the paths, or the files listed on standard
input or in a file, and prints the transfer's id. Workers process them. With --wait
it waits until the transfer has ended, and exits with 3 if files failed. Workers
read listed files only within BALER_ROOTS. Through a server the paths are those of
the server.

Submitting the same again with the same --key returns the same transfer and adds
nothing; another list, other paths or options are an error that names the difference.
If that submission was interrupted, it is resumed, once its producer has been silent
for 30 seconds. --resume resumes by id; a list must be given again, in the same order.

By bulk, which is the default for paths, files are registered also while Redis is
away; workers process them once it is back.`,
		Example: `  id=$(baler submit /srv/archive)
  baler submit --recipe checksum --wait /srv/incoming
  find /srv -newer stamp -print0 | baler submit - --null --roots /srv
  baler submit --resume 12
  baler submit --resume 13 --files-from list.txt`,
		Args: f.checkArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.settings(cmd)
			if err != nil {
				return err
			}
			resumes := cmd.Flags().Changed("resume")
			if resumes && cfg.Server != "" {
				return usagef("--resume does not work through a server, which resumes its submissions itself; " +
					"a list is resumed by the same submission with its --key")
			}
			list, done, err := f.list(args, p.stdin)
			if err != nil {
				return err
			}
			defer done()
			if resumes {
				return p.with(cmd, baler.OpenProducer, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
					return p.submitResume(ctx, b, &f, list)
				})
			}
			s, err := f.submission(args, list)
			if err != nil {
				return err
			}
			if cfg.Server != "" {
				return p.submitRemote(cmd, &s, &f)
			}
			return p.with(cmd, baler.OpenProducer, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				return p.submit(ctx, b, s, &f, embedded(cfg))
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	p.recipeFlag(cmd, &f.recipe)
	viaFlag(cmd, &f.via)
	flags.StringVar(&f.name, "name", "", "`NAME` of the transfer (default: the first path)")
	flags.Var(checked{&f.key, tasks.CheckIdempotencyKey}, "key", "idempotency `KEY`: submitting again with it returns the same transfer")
	webhookFlag(cmd, &f.webhooks)
	flags.Var(checked{&f.queue, tasks.CheckQueue}, "queue", "`QUEUE` to use (default: default)")
	completeBy(cmd, "queue", p.completeQueues())
	weightFlag(cmd, &f.weight)
	stopAfterFlag(cmd, &f.stopAfter)
	deadlineFlag(cmd, &f.deadline)
	flags.BoolVarP(&f.null, "null", "0", false, "paths on standard input or in the file end with NUL, as from find -print0")
	flags.StringVar(&f.filesFrom, "files-from", "", "submit the paths in `FILE`, one per line")
	f.selecting.add(cmd)
	f.selecting.addNewer(cmd)
	dryRunFlag(cmd, &f.dryRun)
	noReuseFlag(cmd, &f.noReuse)
	missingOKFlag(cmd, &f.missingOK)
	flags.StringVar(&f.resume, "resume", "", "resume the interrupted submission of the transfer with this `ID`")
	completeBy(cmd, "resume", p.completeTransfers(1))
	flags.BoolVar(&f.wait, "wait", false, "wait until the transfer has ended, and report on standard error")
	return cmd
}

// checkArgs checks the arguments and flags.
func (f *submitFlags) checkArgs(cmd *cobra.Command, args []string) error {
	switch {
	case cmd.Flags().Changed("resume"):
		return resumeArgs(cmd, args)
	case cmd.Flags().Changed("files-from"):
		if len(args) > 0 {
			return usagef("give --files-from or paths, not both")
		}
		return nil
	case f.null && !slices.Equal(args, []string{"-"}):
		return usagef("--null needs paths from standard input or a file: submit - --null, submit --files-from FILE --null")
	case len(args) > 1 && slices.Contains(args, "-"):
		return usagef("- is standard input and must be the only path")
	}
	if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
		return err
	}
	return checkPaths(args)
}

// list opens the list of paths; it is nil for a submission that has paths instead. The
// caller calls done when it has been read.
func (f *submitFlags) list(args []string, stdin io.Reader) (list io.Reader, done func(), err error) {
	done = func() {}
	switch {
	case slices.Equal(args, []string{"-"}), len(args) == 0 && f.filesFrom == "-":
		return stdin, done, nil
	case len(args) > 0, f.resume != "" && f.filesFrom == "":
		return nil, done, nil
	}
	file, err := os.Open(f.filesFrom)
	if err != nil {
		return nil, done, fmt.Errorf("--files-from: %w", err)
	}
	return file, func() { _ = file.Close() }, nil // only read from
}

// submission makes a submission from the flags and arguments; list may be nil.
func (f *submitFlags) submission(args []string, list io.Reader) (baler.Submission, error) {
	via, err := parseVia(f.via)
	if err != nil {
		return baler.Submission{}, err
	}
	if err := f.webhooks.check(); err != nil {
		return baler.Submission{}, err
	}
	selection, err := f.selecting.get()
	if err != nil {
		return baler.Submission{}, err
	}
	if err := checkWeight(f.weight); err != nil {
		return baler.Submission{}, err
	}
	s := baler.Submission{
		Paths: args, Selection: selection, NulSeparated: f.null, MissingOK: f.missingOK,
		Name: f.name, IdempotencyKey: f.key, Queue: f.queue, Weight: f.weight, Via: via, Webhooks: f.webhooks,
		NoReuse: f.noReuse, StopAfter: f.stopAfter, Deadline: f.deadline,
	}
	if list != nil {
		s.Paths, s.List = nil, list
		if s.Name == "" {
			s.Name = "standard input"
			if f.filesFrom != "" && f.filesFrom != "-" {
				s.Name = f.filesFrom
			}
		}
	}
	return s, nil
}

// suitEmbedded rejects submissions to an embedded queue, which ends with this process.
func (p *program) suitEmbedded(s *baler.Submission) {
	switch {
	case s.Via == tasks.ViaGroup:
		p.notef("warning: the embedded queue ends with this process, so the files wait minutes until a worker " +
			"dispatches them. With --via bulk they do not wait.")
	case s.Via == "" && s.List != nil:
		s.Via = tasks.ViaBulk
	}
}

// checkQueue returns an error when the queue does not answer and each file needs a
// message. Bulk submissions need only the database.
func (p *program) checkQueue(ctx context.Context, b *baler.Baler, group bool) error {
	err := b.PingQueue(ctx)
	if err == nil {
		return nil
	}
	if group {
		return fmt.Errorf("%w; with --via bulk, submit needs no Redis", err)
	}
	p.notef("warning: %v. The files are registered; workers process them once it answers.", err)
	return nil
}

func (p *program) submit(ctx context.Context, b *baler.Baler, s baler.Submission, f *submitFlags, embedded bool) error {
	if embedded {
		p.suitEmbedded(&s)
	}
	var err error
	s.Recipe, err = b.Recipe(ctx, f.recipe)
	if err = p.allowRemoteHandlers(err); err != nil {
		return err
	}
	if err := p.warnOfUnsetLimits(ctx, b, s.Recipe); err != nil {
		return err
	}
	if f.dryRun {
		return p.preview(ctx, s, b.PreviewSubmit)
	}
	if err := p.checkQueue(ctx, b, s.Via == tasks.ViaGroup || s.Via == "" && s.List != nil); err != nil {
		return err
	}
	notes := &skippedFiles{p: p}
	follower := p.follow(ctx, direct{b}, p.newDisplay(false, true))
	s.OnSkipped = notes.see
	s.OnCreated = func(t tasks.Transfer) {
		p.noteWeight(&t)
		follower.begin(t)
	}
	t, created, err := b.Submit(ctx, s)
	if created {
		p.changed = t.UUID
		follower.end(&t)
	} else {
		follower.end(nil)
	}
	notes.end()
	if err != nil {
		return p.submitStopped(ctx, direct{b}, &t, explainMissing(err))
	}
	o := origin{created: created}
	if !created {
		if t, o.resumed, err = p.adoptUnfinished(ctx, b, t, &s); err != nil {
			return err
		}
		p.noteIgnored(&t, f)
	}
	if !f.wait && !embedded {
		p.noteUnserved(ctx, direct{b}, &t)
	}
	return p.submitted(ctx, direct{b}, &t, o, f)
}

// origin says whether a submission created or resumed its transfer; the zero value means that the
// transfer existed.
type origin struct{ created, resumed bool }

// submitted prints a transfer, and waits for its end with --wait.
func (p *program) submitted(ctx context.Context, b system, t *tasks.Transfer, o origin, f *submitFlags) error {
	if err := p.printTransfer(t, o, f.wait); err != nil || !f.wait {
		return err
	}
	return p.waitAndReport(ctx, b, t)
}

// submission is the JSON object that submit reports without --wait.
type submission struct {
	Type     string    `json:"type"` // always "transfer"
	Transfer string    `json:"transfer"`
	Created  bool      `json:"created"`
	Resumed  bool      `json:"resumed"` // an interrupted submission was resumed
	Files    int64     `json:"files"`
	Bytes    int64     `json:"bytes"`
	Via      tasks.Via `json:"via"`
}

// printTransfer prints the id for scripts. In JSON it prints nothing when a summary follows.
func (p *program) printTransfer(t *tasks.Transfer, o origin, wait bool) error {
	if !wait && t.Files == 0 && !t.Selection.All() {
		p.notef("%s", nothingSelected)
	}
	if !p.json {
		p.printf("%s", t.UUID)
		return nil
	}
	if wait {
		return nil
	}
	return p.object(submission{"transfer", t.UUID, o.created, o.resumed, t.Files, t.Bytes, t.Via})
}

// submitStopped reports the state of a submission that was interrupted or failed.
func (p *program) submitStopped(ctx context.Context, b system, t *tasks.Transfer, err error) error {
	if now, readErr := b.Transfer(context.WithoutCancel(ctx), t.UUID); readErr == nil {
		_, throughServer := b.(*remote)
		p.notef("Transfer %s has %s registered. They will be processed; the others are not registered.%s",
			number(&now), files(now.Files), howToResume(&now, throughServer))
	}
	return err
}

// howToResume says how the rest of the files of a list can be registered.
func howToResume(t *tasks.Transfer, throughServer bool) string {
	switch {
	case sealed(t) || len(t.Sources) > 0:
		return ""
	case throughServer:
		return fmt.Sprintf("\nTo register them, submit the same list again with --key %q; otherwise cancel it with 'baler cancel %s'.",
			t.Key, number(t))
	}
	return fmt.Sprintf("\nTo register them, submit the same list again with 'baler submit --resume %s -' in half a minute.", number(t))
}
