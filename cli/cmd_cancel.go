package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) cancelCommand() *cobra.Command {
	var f filterFlags
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "Cancel a transfer, or some of its files",
		Long: `Cancel ends a transfer. No further batch of it starts, and running handlers are
canceled within seconds. Recorded results are kept. It exits with 1 if the
transfer has already ended.

With flags it cancels those files that they select and that have not ended, and
prints their number; the others go on. A file that waits ends as canceled at its
next step. One that runs ends this step first, and keeps its result if that was
its last step. --outcome, --code, --message and --group select files by their
results, and by their last attempt while they wait for another; --step alone
selects the files that are at this step. 'baler retry' runs canceled files again.`,
		Example: `  baler cancel 12
  baler cancel 12 --file 4711
  baler cancel 12 --group 5d0ac4f1
  baler cancel 12 --step convert --outcome timed_out`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.given(cmd) {
				return p.cancelFiles(cmd, args[0], &f)
			}
			return p.runTransferAction(cmd, args[0], transferAction{
				do: func(ctx context.Context, b system, t tasks.Transfer) (bool, error) { return b.Cancel(ctx, t) },
				did: func(t *tasks.Transfer) string {
					return fmt.Sprintf("Transfer %s is canceled: %s of %s were done.", number(t), count(t.Finished), files(t.Files))
				},
				didNot: endedAlready,
			})
		},
	}
	cmd.Flags().SortFlags = false
	f.add(p, cmd)
	return cmd
}

func (p *program) cancelFiles(cmd *cobra.Command, id string, f *filterFlags) error {
	filter, err := f.resultFilter(cmd)
	if err != nil {
		return err
	}
	if f.group == "" && filter.Empty() { // as of --step ""; all files are not what was meant
		return usagef("the flags select all files: without them, 'baler cancel ID' cancels the transfer")
	}
	return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
		t, err := b.FindTransfer(ctx, id)
		if err != nil {
			return err
		}
		p.changed = t.UUID
		if err := hasStep(&t, filter.Step); err != nil {
			return err
		}
		if err := chooseGroup(ctx, b, &t, f.group, &filter); err != nil {
			return err
		}
		n, err := b.CancelFiles(ctx, t, filter)
		if err != nil {
			if n > 0 {
				p.notef("%s of transfer %s are canceled; run the same command again for the others.", files(n), number(&t))
			}
			return err
		}
		return p.canceledFiles(&t, n)
	})
}

// cancelReport is the JSON object that cancel reports of files.
type cancelReport struct {
	Type     string `json:"type"` // always "cancel"
	Transfer string `json:"transfer"`
	Files    int64  `json:"files"` // that go no further, and were not canceled before
}

func (p *program) canceledFiles(t *tasks.Transfer, n int64) error {
	switch {
	case p.json:
		return p.object(cancelReport{"cancel", t.UUID, n})
	case n == 0 && t.State.Ended():
		p.printf("Nothing to cancel: transfer %s has ended.", number(t))
	case n == 0:
		p.printf("Nothing to cancel in transfer %s: no such file is unfinished, or it is canceled already.", number(t))
	case n == 1:
		p.printf("Canceling 1 file of transfer %s. If it runs, it ends this step first.", number(t))
	default:
		p.printf("Canceling %s of transfer %s. Those that run end this step first.", files(n), number(t))
	}
	return nil
}
