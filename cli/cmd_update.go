package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func (p *program) updateCommand() *cobra.Command {
	var weight int
	var stopAfter, deadline string
	cmd := &cobra.Command{
		Use:   "update ID",
		Short: "Change the weight or the deadline of a transfer, or how many failures stop it",
		Long: `Update changes the settings of a transfer that has not ended; those that are not given stay.
A change takes effect within a second, and does not move batches that are in the queue.`,
		Example: `  baler update 12 --weight 10
  baler update 12 --stop-after 10%
  baler update 12 --deadline 2h`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var c tasks.TransferChange
			if cmd.Flags().Changed("weight") {
				c.Weight = &weight
			}
			if cmd.Flags().Changed("stop-after") {
				limit, err := tasks.ParseStopAfter(stopAfter)
				if err != nil {
					return usagef("%w", err)
				}
				c.StopAfter = &limit
			}
			if cmd.Flags().Changed("deadline") {
				d, err := tasks.ParseDeadlineChange(deadline)
				if err != nil {
					return usagef("%w", err)
				}
				c.Deadline = &d
			}
			if err := c.Check(); err != nil {
				return usagef("%w", err)
			}
			return p.runTransferAction(cmd, args[0], transferAction{
				do: func(ctx context.Context, b system, t tasks.Transfer) (bool, error) {
					p.noteWeight(&tasks.Transfer{Weight: weight, Via: t.Via})
					return b.Update(ctx, t, c)
				},
				did: func(t *tasks.Transfer) string {
					return fmt.Sprintf("Transfer %s has the weight %d and %s, and %s.",
						number(t), t.Weight, havingDeadline(t), stopping(t.StopAfter))
				},
				didNot: endedAlready,
			})
		},
	}
	cmd.Flags().IntVar(&weight, "weight", 0, "share of the workers beside other transfers of its queue, `N` from 1 to 100")
	cmd.Flags().Var(checked{&stopAfter, checkStopAfter}, "stop-after",
		"stop when more than a share such as 5% of a step's results are failures, "+
			"or after a number of them; `LIMIT`, or none to remove the limit")
	cmd.Flags().Var(checked{&deadline, tasks.CheckDeadline}, "deadline",
		"cancel it if it has not ended after this `TIME` from now, such as 6h, or at one such as 2026-05-01T06:00:00Z; or none")
	return cmd
}

// havingDeadline says when a transfer is canceled.
func havingDeadline(t *tasks.Transfer) string {
	if t.DeadlineAt.IsZero() {
		return "no deadline"
	}
	return "the deadline " + local(t.DeadlineAt)
}

// stopping says how many failures stop a transfer.
func stopping(s tasks.StopAfter) string {
	if s == (tasks.StopAfter{}) {
		return "no number of failures stops it"
	}
	return "stops after " + failureLimit(s)
}

// failureLimit is a limit of failures for people.
func failureLimit(s tasks.StopAfter) string {
	if s.Share > 0 {
		return s.String() + " of failures"
	}
	return plural(s.Count, "failure")
}
