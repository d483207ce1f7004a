package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/tasks"
)

func (p *program) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ID",
		Short: "Cancel a transfer",
		Long: `Cancel ends a transfer. No further batch of it starts, and running handlers are
canceled within seconds. Recorded results are kept. It exits with 1 if the
transfer has already ended.`,
		Example:           `  baler cancel 12`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.runTransferAction(cmd, args[0], transferAction{
				do: func(ctx context.Context, b system, t tasks.Transfer) (bool, error) { return b.Cancel(ctx, t) },
				did: func(t *tasks.Transfer) string {
					return fmt.Sprintf("Transfer %s is canceled: %s of %s were done.", number(t), count(t.Finished), files(t.Files))
				},
				didNot: endedAlready,
			})
		},
	}
}
