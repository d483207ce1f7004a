package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func (p *program) updateCommand() *cobra.Command {
	var weight int
	var stopAfter string
	cmd := &cobra.Command{
		Use:   "update ID",
		Short: "Change the weight of a transfer, or how many failures stop it",
		Long: `Update changes the settings of a transfer that has not ended; those that are not given stay.
A change takes effect within a second, and does not move batches that are in the queue.`,
		Example: `  baler update 12 --weight 10
  baler update 12 --stop-after 10%`,
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
			if err := c.Check(); err != nil {
				return usagef("%w", err)
			}
			return p.runTransferAction(cmd, args[0], transferAction{
				do: func(ctx context.Context, b system, t tasks.Transfer) (bool, error) {
					p.noteWeight(&tasks.Transfer{Weight: weight, Via: t.Via})
					return b.Update(ctx, t, c)
				},
				did: func(t *tasks.Transfer) string {
					return fmt.Sprintf("Transfer %s has the weight %d, and %s.", number(t), t.Weight, stopping(t.StopAfter))
				},
				didNot: endedAlready,
			})
		},
	}
	cmd.Flags().IntVar(&weight, "weight", 0, "share of the workers beside other transfers of its queue, `N` from 1 to 100")
	cmd.Flags().Var(checked{&stopAfter, checkStopAfter}, "stop-after",
		"stop when more than a share such as 5% of a step's results are failures, "+
			"or after a number of them; `LIMIT`, or none to remove the limit")
	return cmd
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
