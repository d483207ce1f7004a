package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) pruneCommand() *cobra.Command {
	var o baler.PruneOptions
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Delete transfers that ended long ago",
		Long: `Prune deletes the transfers that ended longer ago than AGE, as 'baler delete' does, but
remembers which files runs have seen. Without --failed-too it keeps transfers with
failed files or final steps. It always keeps the newest transfer of the same 'baler
run'. Workers do the same by themselves with the settings retention.*.`,
		Example: `  baler prune --older-than 90d --keep-last 5
  baler prune --older-than 36h --failed-too --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("older-than") {
				return usagef("--older-than is required, such as --older-than 90d")
			}
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.prune(ctx, b, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(ageFlag{durationFlag{&o.OlderThan}}, "older-than", "delete transfers that ended longer than `AGE` ago, such as 90d or 36h")
	flags.IntVar(&o.KeepLast, "keep-last", 0, "keep the `N` newest transfers, however old they are")
	flags.BoolVar(&o.FailedToo, "failed-too", false, "delete also transfers with failed files or final steps")
	flags.BoolVar(&o.DryRun, "dry-run", false, "delete nothing, and list the transfers that prune would delete")
	return cmd
}

func (p *program) prune(ctx context.Context, b *baler.Baler, o baler.PruneOptions) error {
	var transfers, total int64
	var writeErr error
	err := b.Prune(ctx, o, func(t tasks.Transfer) {
		transfers++
		total += t.Files
		switch {
		case p.json && !o.DryRun:
			writeErr = p.deleted(&t)
		case p.json:
			writeErr = p.object(deletion{"would_delete", t.UUID, t.Files})
		default:
			p.printf("%s  ended %s  %s", t.UUID, local(t.EndedAt), files(t.Files))
		}
	})
	if err != nil {
		return err
	}
	if p.json {
		return writeErr
	}
	verb := "Deleted"
	if o.DryRun {
		verb = "Would delete"
	}
	p.printf("%s %s with %s.", verb, plural(transfers, "transfer"), files(total))
	return nil
}
