package main

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
		Short: "Hold the ledger against the queue, and send what it has lost",
		Long: `Reconcile asks the queue after every batch of the ledger, sends again those that
it does not know, and finds files that nothing stands for. Workers do the same
by themselves, bit by bit; this does it at once, and is safe while they work.`,
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
	list.row("batches in the ledger", count(r.Batches))
	list.row("batches that the queue had lost, sent again", count(r.Resent))
	list.row("files that nothing stood for, with a batch now", count(r.Files))
	list.row("groups that had lost their name, found again", count(r.Groups))
	list.row("transfers whose producer died", count(r.Orphaned))
	list.write(p.stdout)
	if r.Orphaned > 0 {
		p.sayf("note: 'baler status' shows transfers whose producer died as interrupted; 'baler submit --resume ID' goes on.")
	}
	return nil
}
