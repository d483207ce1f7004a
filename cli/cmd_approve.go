package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) approveCommand() *cobra.Command {
	return p.decision("approve", "Approve a step that waits for a person",
		`Approve lets files run a step that has "approve: true" in the recipe. Without STEP it approves
the first step that waits. The first decision holds. The audit log and the page of the transfer
show who has decided, when, and with which comment.`, "seen by the archive", false, "Step %s of transfer %s is approved: its files run.")
}

func (p *program) rejectCommand() *cobra.Command {
	return p.decision("reject", "Reject a step that waits for a person, and cancel the transfer",
		`Reject cancels a transfer that has a step which waits for approval, and keeps its results.
After 'baler retry' the step waits for approval again.`,
		"wrong folder", true, "Step %s of transfer %s is rejected: the transfer is canceled.")
}

func (p *program) decision(verb, short, long, comment string, reject bool, did string) *cobra.Command {
	d := tasks.Decision{Reject: reject}
	cmd := &cobra.Command{
		Use: verb + " ID [STEP]", Short: short, Long: long,
		Example:           "  baler " + verb + ` 12 --comment "` + comment + `"`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.Check(); err != nil {
				return usagef("%w", err)
			}
			if len(args) > 1 {
				d.Step = args[1]
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				return p.decide(ctx, b, args[0], d, did)
			})
		},
	}
	cmd.Flags().StringVar(&d.Comment, "comment", "", "`TEXT` for the audit log and the page")
	return cmd
}

func (p *program) decide(ctx context.Context, b system, id string, d tasks.Decision, did string) error {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	p.changed, d.Who = t.UUID, person()
	if d.Step == "" {
		d.Step = waitingStep(&t)
	}
	if d.Step, err = b.Decide(ctx, t, d); err != nil {
		return err
	}
	if t, err = b.Transfer(ctx, t.UUID); err != nil {
		return err
	}
	if p.json {
		return p.summarize(&t)
	}
	p.printf(did, printable(d.Step), number(&t))
	return nil
}

// waitingStep is the first step that waits for approval; empty when none does.
func waitingStep(t *tasks.Transfer) string {
	for i := range t.Steps {
		if t.Steps[i].Approval == tasks.ApprovalWaiting {
			return t.Steps[i].Name
		}
	}
	return ""
}
