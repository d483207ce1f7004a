package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) retryCommand() *cobra.Command {
	var (
		f       filterFlags
		wait    bool
		closing bool
	)
	cmd := &cobra.Command{
		Use:   "retry ID",
		Short: "Run chosen results of a transfer again",
		Long: `Retry runs files again, from the step with the chosen result on, and says how
many. Without --outcome those are chosen that failed or were canceled. While the
transfer runs only such files can be run again; when it has ended, any, and it
goes on. With --wait it stays to the end, and exits with 3 when files failed.

With --finalizers it runs the final steps that failed again, and no file.`,
		Example: `  baler retry 01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7
  baler retry 01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7 --outcome timed_out --wait
  baler retry 01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7 --step identify --outcome succeeded,warning --file 12
  baler retry 01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7 --finalizers`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.chosen(cmd)
			if err != nil {
				return err
			}
			if closing && (filter.Step != "" || len(filter.Outcomes) > 0 || filter.File != 0) {
				return usagef("--finalizers runs no file again: it goes without --step, --outcome and --file")
			}
			return p.with(cmd, baler.Open, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				if closing {
					return p.retryClosing(ctx, b, cfg, args[0], wait)
				}
				return p.retry(ctx, b, cfg, args[0], filter, wait)
			})
		},
	}
	cmd.Flags().SortFlags = false
	f.add(cmd)
	cmd.Flags().BoolVar(&closing, "finalizers", false, "run final steps that failed again, and no file")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for the end, and report on standard error")
	return cmd
}

func (p *program) retry(ctx context.Context, b *baler.Baler, cfg config.Config, id string, filter baler.ResultFilter, wait bool) error {
	t, err := b.Transfer(ctx, id)
	if err != nil {
		return err
	}
	if err := hasStep(&t, filter.Step); err != nil {
		return err
	}
	n, err := b.Retry(ctx, t, filter)
	if err != nil {
		if n > 0 {
			p.sayf("%s of transfer %s are run again; the same command goes on with the others.", files(n), t.UUID)
		}
		return err
	}
	if err := p.retried(&t, n, &filter); err != nil {
		return err
	}
	return p.afterRetry(ctx, b, cfg, &t, n, wait)
}

// afterRetry waits if it is to, or tells who does what was asked for.
func (p *program) afterRetry(ctx context.Context, b *baler.Baler, cfg config.Config, t *tasks.Transfer, n int64, wait bool) error {
	idle := n == 0 && t.State.Ended()
	switch {
	case wait && !idle:
		return p.await(ctx, b, t)
	case wait && p.json: // the last line is a summary, whatever happened
		return p.summarize(t)
	case n > 0:
		p.whoWorks(ctx, b, cfg)
	}
	return nil
}

// retryReport is the JSON object that retry reports.
type retryReport struct {
	Type     string `json:"type"` // always "retry"
	Transfer string `json:"transfer"`
	Files    int64  `json:"files"` // that are run again
}

func (p *program) retried(t *tasks.Transfer, n int64, filter *baler.ResultFilter) error {
	switch {
	case p.json:
		return p.object(retryReport{"retry", t.UUID, n})
	case n > 0:
		p.printf("%s of transfer %s to run again.", files(n), t.UUID)
	case len(filter.Outcomes) == 0:
		p.printf("Nothing of transfer %s is to be run again: no such file failed.", t.UUID)
	default:
		p.printf("Nothing of transfer %s is to be run again: there is no such result.", t.UUID)
	}
	return nil
}

// whoWorks tells somebody who does not wait that nothing will happen by itself.
func (p *program) whoWorks(ctx context.Context, b *baler.Baler, cfg config.Config) {
	workers, err := b.Workers(ctx)
	switch {
	case err != nil || len(workers) > 0: // what was asked for is done; this is only a note
	case embedded(cfg):
		p.sayf("note: no worker is running, and the queue is embedded: 'baler worker' works on it, " +
			"or the next 'baler run' of the same paths.")
	default:
		p.sayf("note: no worker is running: start one with 'baler worker'.")
	}
}
