package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/dispatch"
)

// reconciliation is the JSON object that reconcile reports.
type reconciliation struct {
	Type string `json:"type"` // always "reconciliation"
	dispatch.ReconcileReport
}

func (p *program) reconcileCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reconcile",
		Short: "Compare database and queue, and re-enqueue what is missing",
		Long: `Reconcile re-enqueues every unfinished batch that the queue has lost, and batches
files that have neither a batch nor a result. Workers do the same continuously,
in small steps; this command does it at once. It is safe while workers run.`,
		Example: `  baler reconcile
  baler reconcile --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withQueue(cmd, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				r, err := b.Reconcile(ctx)
				if err != nil {
					return err
				}
				return p.reconciled(r)
			})
		},
	}
}

func (p *program) reconciled(r dispatch.ReconcileReport) error {
	if p.json {
		return p.object(reconciliation{"reconciliation", r})
	}
	list := newTable(words("FOUND"), numbers("COUNT"))
	list.row("unfinished batches", count(r.Batches))
	list.row("lost batches, re-enqueued", count(r.Resent))
	list.row("files without a batch, batched", count(r.Files))
	list.row("lost groups, repaired", count(r.Groups))
	list.row("transfers whose producer died", count(r.Orphaned))
	list.write(p.stdout)
	if r.Orphaned > 0 {
		p.notef("note: transfers whose producer died are interrupted; resume them with 'baler submit --resume ID'.")
	}
	return nil
}
