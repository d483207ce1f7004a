package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func (p *program) resumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume ID",
		Short: "Resume a paused transfer",
		Long: `Resume continues a transfer that was paused with 'baler pause'. It exits with 1 if
the transfer is not paused. To resume an interrupted submission, use
'baler submit --resume'.`,
		Example:           `  baler resume 12`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.runTransferAction(cmd, args[0], transferAction{
				do: func(ctx context.Context, b system, t tasks.Transfer) (bool, error) { return b.Resume(ctx, t) },
				did: func(t *tasks.Transfer) string {
					return fmt.Sprintf("Transfer %s resumed: %s of %s are done.", number(t), count(t.Finished), files(t.Files))
				},
				didNot: notPaused,
			})
		},
	}
}

func notPaused(t *tasks.Transfer) string {
	switch {
	case t.State.Ended():
		return endedAlready(t)
	case t.State == tasks.StateInterrupted:
		return fmt.Sprintf("transfer %s is not paused: its submission was interrupted; resume it with 'baler submit --resume %s'",
			number(t), number(t))
	}
	return fmt.Sprintf("transfer %s is not paused: it is %s", number(t), stateOf(t))
}
