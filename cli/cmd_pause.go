package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func (p *program) pauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause ID",
		Short: "Pause a transfer",
		Long: `Pause stops starting batches of a transfer until 'baler resume'. Running batches
finish, and other transfers continue. It exits with 1 if the transfer has ended
or is already paused.`,
		Example:           `  baler pause 12`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.runTransferAction(cmd, args[0], transferAction{
				do: func(ctx context.Context, b system, t tasks.Transfer) (bool, error) { return b.Pause(ctx, t) },
				did: func(t *tasks.Transfer) string {
					return fmt.Sprintf("Transfer %s is paused. Resume it with 'baler resume %s'.", number(t), number(t))
				},
				didNot: func(t *tasks.Transfer) string {
					if t.State.Ended() {
						return endedAlready(t)
					}
					return fmt.Sprintf("transfer %s is already paused, since %s", number(t), local(t.PausedAt))
				},
			})
		},
	}
}
