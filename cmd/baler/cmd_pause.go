package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

func (p *program) pauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause ID",
		Short: "Start nothing more of a transfer for now",
		Long: `Pause lets what is in hand of a transfer end, and nothing more of it start, until
'baler resume' lets it go on. Others go on meanwhile. It exits with 1 when the
transfer has ended or is paused already.`,
		Example:           `  baler pause 01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.steer(cmd, args[0], transferAction{
				do: func(ctx context.Context, b *baler.Baler, t tasks.Transfer) (bool, error) { return b.Pause(ctx, t) },
				did: func(t *tasks.Transfer) string {
					return fmt.Sprintf("Transfer %s is paused: 'baler resume %s' lets it go on.", t.UUID, t.UUID)
				},
				didNot: func(t *tasks.Transfer) string {
					if t.State.Ended() {
						return endedAlready(t)
					}
					return fmt.Sprintf("transfer %s is paused already, since %s", t.UUID, local(t.PausedAt))
				},
			})
		},
	}
}
