package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

// deletion is a deleted transfer in JSON.
type deletion struct {
	Type     string `json:"type"` // always "deleted"
	Transfer string `json:"transfer"`
	Files    int64  `json:"files"`
}

func (p *program) deleteCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a transfer that has ended",
		Long: `Delete removes a transfer that has ended, with its files and results, from the
database, in small steps while everything else runs. What handlers and final steps
wrote elsewhere stays. The id remains known as deleted. A later 'baler run' of the
same paths processes its files again.

With --force it cancels a transfer that has not ended, and deletes it at once.`,
		Example: `  baler delete 01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7
  baler delete --force 01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				t, err := direct{b}.FindTransfer(ctx, args[0])
				if err != nil {
					return err
				}
				if err := b.Delete(ctx, t, force); err != nil {
					return whyNotDeleted(&t, err)
				}
				return p.deleted(&t)
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "cancel the transfer first, and do not wait for its batches")
	return cmd
}

func whyNotDeleted(t *tasks.Transfer, err error) error {
	switch {
	case errors.Is(err, baler.ErrNotEnded):
		return fmt.Errorf("transfer %s is %s: cancel it first ('baler cancel %[1]s'), or use --force", t.UUID, stateOf(t))
	case errors.Is(err, baler.ErrStillRunning):
		return fmt.Errorf("workers have not yet ended all batches of transfer %s: try again in a moment, or use --force", t.UUID)
	}
	return err
}

func (p *program) deleted(t *tasks.Transfer) error {
	if p.json {
		return p.object(deletion{"deleted", t.UUID, t.Files})
	}
	p.printf("Transfer %s with %s is deleted.", t.UUID, files(t.Files))
	return nil
}
