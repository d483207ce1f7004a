package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

type submitFlags struct {
	recipe, name, key, queue, via, resume string
	webhooks                              webhooks
	null, missingOK, wait                 bool
}

func (p *program) submitCommand() *cobra.Command {
	var f submitFlags
	cmd := &cobra.Command{
		Use:   "submit PATH... | submit - | submit --resume ID",
		Short: "Submit files for processing by workers",
		Long: `Submit registers the files at and below the paths, or the files listed on
standard input, and prints the transfer's id. Workers process them. With --wait
it waits until the transfer has ended, and exits with 3 if files failed. Workers
read listed files only within BALER_ROOTS.

Submitting the same again with the same --key returns the same transfer and adds
nothing. If that submission was interrupted, it is resumed, once its producer has
been silent for 30 seconds. --resume resumes by id.

By bulk, which is the default for paths, files are registered also while Redis is
away; workers process them once it is back.`,
		Example: `  id=$(baler submit /srv/archive)
  baler submit --recipe checksum --wait /srv/incoming
  find /srv -newer stamp -print0 | baler submit - --null --roots /srv
  baler submit --resume 12`,
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("resume") {
				return resumeArgs(cmd, args)
			}
			if f.null && !slices.Equal(args, []string{"-"}) {
				return usagef("--null needs paths from standard input: submit - --null")
			}
			if len(args) > 1 && slices.Contains(args, "-") {
				return usagef("- is standard input and must be the only path")
			}
			if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
				return err
			}
			return checkPaths(args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.with(cmd, baler.OpenProducer, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
					return p.submitResume(ctx, b, &f)
				})
			}
			s, err := f.submission(args, p.stdin)
			if err != nil {
				return err
			}
			return p.with(cmd, baler.OpenProducer, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				if embedded(cfg) {
					p.suitEmbedded(&s)
				}
				if err := p.checkQueue(ctx, b, s.Via == tasks.ViaGroup || s.Via == "" && s.List != nil); err != nil {
					return err
				}
				return p.submit(ctx, b, s, &f)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	recipeFlag(cmd, &f.recipe)
	viaFlag(cmd, &f.via)
	flags.StringVar(&f.name, "name", "", "`NAME` of the transfer (default: the first path)")
	flags.Var(checked{&f.key, tasks.CheckIdempotencyKey}, "key", "idempotency `KEY`: submitting again with it returns the same transfer")
	webhookFlag(cmd, &f.webhooks)
	flags.Var(checked{&f.queue, tasks.CheckQueue}, "queue", "`QUEUE` to use (default: default)")
	flags.BoolVarP(&f.null, "null", "0", false, "paths on standard input are separated by NUL, as from find -print0")
	missingOKFlag(cmd, &f.missingOK)
	flags.StringVar(&f.resume, "resume", "", "resume the interrupted submission of the transfer with this `ID`")
	flags.BoolVar(&f.wait, "wait", false, "wait until the transfer has ended, and report on standard error")
	return cmd
}

func (f *submitFlags) submission(args []string, stdin io.Reader) (baler.Submission, error) {
	via, err := tasks.ParseVia(f.via, "")
	if err != nil {
		return baler.Submission{}, usageError{err}
	}
	if err := f.webhooks.check(); err != nil {
		return baler.Submission{}, err
	}
	s := baler.Submission{
		Paths: args, NulSeparated: f.null, MissingOK: f.missingOK,
		Name: f.name, IdempotencyKey: f.key, Queue: f.queue, Via: via, Webhooks: f.webhooks,
	}
	if args[0] == "-" {
		s.Paths, s.List = nil, stdin
		if s.Name == "" {
			s.Name = "standard input"
		}
	}
	return s, nil
}

// suitEmbedded keeps files out of a queue that ends with this process.
func (p *program) suitEmbedded(s *baler.Submission) {
	switch {
	case s.Via == tasks.ViaGroup:
		p.notef("warning: the embedded queue ends with this process; its files wait minutes until a worker " +
			"dispatches them. --via bulk does not wait.")
	case s.Via == "" && s.List != nil:
		s.Via = tasks.ViaBulk
	}
}

// checkQueue returns an error when the queue is away and files are to go there one by one.
// By bulk they need only the database.
func (p *program) checkQueue(ctx context.Context, b *baler.Baler, group bool) error {
	err := b.PingQueue(ctx)
	if err == nil {
		return nil
	}
	if group {
		return fmt.Errorf("%w; --via bulk needs no Redis to submit", err)
	}
	p.notef("warning: %v. The files are registered all the same; workers process them once it answers.", err)
	return nil
}

func (p *program) submit(ctx context.Context, b *baler.Baler, s baler.Submission, f *submitFlags) error {
	var err error
	s.Recipe, err = b.Recipe(ctx, f.recipe)
	if err = p.allowRemoteHandlers(err); err != nil {
		return err
	}
	notes := &skippedFiles{p: p}
	follower := p.follow(ctx, b, p.newDisplay(false, true))
	s.OnSkipped = notes.see
	s.OnCreated = follower.begin
	t, created, err := b.Submit(ctx, s)
	if created {
		follower.end(&t)
	} else {
		follower.end(nil)
	}
	notes.end()
	if err != nil {
		return p.submitStopped(ctx, b, &t, explainMissing(err))
	}
	o := origin{created: created}
	if !created {
		if t, o.resumed, err = p.adoptUnfinished(ctx, b, t); err != nil {
			return err
		}
	}
	return p.submitted(ctx, b, &t, o, f)
}

// origin is how a submitted transfer came about; the zero value was there before.
type origin struct{ created, resumed bool }

// submitted hands out a transfer, and waits for its end when that is wanted.
func (p *program) submitted(ctx context.Context, b *baler.Baler, t *tasks.Transfer, o origin, f *submitFlags) error {
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

// printTransfer prints the id for scripts. When a summary follows, in JSON that says it all.
func (p *program) printTransfer(t *tasks.Transfer, o origin, wait bool) error {
	if !p.json {
		p.printf("%s", t.UUID)
		return nil
	}
	if wait {
		return nil
	}
	return p.object(submission{"transfer", t.UUID, o.created, o.resumed, t.Files, t.Bytes, t.Via})
}

// submitStopped says what has become of a submission that did not get to its end.
func (p *program) submitStopped(ctx context.Context, b *baler.Baler, t *tasks.Transfer, err error) error {
	if now, readErr := b.Transfer(context.WithoutCancel(ctx), t.UUID); readErr == nil {
		p.notef("Transfer %s has %s registered. They will be processed; the others are not registered.", number(&now), files(now.Files))
	}
	return err
}
