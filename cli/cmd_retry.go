package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) retryCommand() *cobra.Command {
	var (
		f          filterFlags
		wait       bool
		finalizers bool
	)
	cmd := &cobra.Command{
		Use:   "retry ID",
		Short: "Retry files or final steps of a transfer",
		Long: `Retry runs files again, starting at the step of the selected result, and prints
their number. Without --outcome it selects results that failed or were canceled.
While the transfer runs, only those can be retried; after it has ended, all can,
and the transfer runs again. With --wait it waits until the transfer has ended,
and exits with 3 if files failed. --group selects one group of 'baler failures';
--code and --message select those alike in other steps, too.

With --finalizers it retries the failed final steps, and no files.`,
		Example: `  baler retry 12
  baler retry 12 --outcome timed_out --wait
  baler retry 12 --group 5d0ac4f1
  baler retry 12 --code no-space --message 'open …: no space left on device'
  baler retry 12 --step identify --outcome succeeded,warning --file 12
  baler retry nightly --finalizers`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.resultFilter(cmd)
			if err != nil {
				return err
			}
			if finalizers && (f.group != "" || filter.Step != "" || len(filter.Outcomes) > 0 || filter.File != 0 ||
				filter.Code != "" || filter.Message != "") {
				return usagef("--finalizers retries no files: it cannot be combined with --group, --step, --outcome, --file, --code or --message")
			}
			return p.withSystem(cmd, baler.Open, func(ctx context.Context, b system, cfg config.Config) error {
				if finalizers {
					return p.retryFinalizers(ctx, b, cfg, args[0], wait)
				}
				return p.retry(ctx, b, cfg, args[0], filter, f.group, wait)
			})
		},
	}
	cmd.Flags().SortFlags = false
	f.add(p, cmd)
	cmd.Flags().BoolVar(&finalizers, "finalizers", false, "retry the failed final steps, and no files")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the transfer has ended, and report on standard error")
	return cmd
}

func (p *program) retry(
	ctx context.Context, b system, cfg config.Config, id string, filter baler.ResultFilter, group string, wait bool,
) error {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	p.changed = t.UUID
	if err := hasStep(&t, filter.Step); err != nil {
		return err
	}
	if err := chooseGroup(ctx, b, &t, group, &filter); err != nil {
		return err
	}
	n, err := b.Retry(ctx, t, filter)
	if err != nil {
		if n > 0 {
			p.notef("%s of transfer %s will be retried; run the same command again for the others.", files(n), number(&t))
		}
		return err
	}
	if err := p.retried(&t, n, &filter); err != nil {
		return err
	}
	return p.afterRetry(ctx, b, cfg, &t, n, wait)
}

// afterRetry waits for the transfer's end, or notes when no worker would run the files.
func (p *program) afterRetry(ctx context.Context, b system, cfg config.Config, t *tasks.Transfer, n int64, wait bool) error {
	idle := n == 0 && t.State.Ended()
	switch {
	case wait && !idle:
		return p.waitAndReport(ctx, b, t)
	case wait && p.json: // the last line is a summary, whatever happened
		return p.summarize(t)
	case n > 0:
		p.noteMissingWorkers(ctx, b, cfg)
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
		p.printf("Retrying %s of transfer %s.", files(n), number(t))
	case len(filter.Outcomes) == 0 && filter.Code == "" && filter.Message == "":
		p.printf("Nothing to retry in transfer %s: no such file failed.", number(t))
	default:
		p.printf("Nothing to retry in transfer %s: there is no such result.", number(t))
	}
	return nil
}

// noteMissingWorkers notes, for a caller that does not wait, that no worker is running.
func (p *program) noteMissingWorkers(ctx context.Context, b system, cfg config.Config) {
	workers, err := b.Workers(ctx)
	switch {
	case err != nil || len(workers) > 0: // the retry has succeeded; this is only a note
	case embedded(cfg):
		p.notef("note: no worker is running, and the queue is embedded: start 'baler worker', " +
			"or run 'baler run' with the same paths.")
	default:
		p.notef("note: no worker is running: start one with 'baler worker'.")
	}
}
