package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func (p *program) workerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Work on what was submitted until stopped",
		Long: `Worker takes batches from the queue and works on them. At SIGINT or SIGTERM it
takes no more, finishes what it has in hand within the grace period, hands back
the rest, and exits with 0. A second signal ends it at once.`,
		Example: `  baler worker
  baler worker --concurrency 8 --queues urgent=5,default=1`,
		Args:        cobra.NoArgs,
		Annotations: map[string]string{service: "true"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, baler.Open, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				database, queue := b.Describe()
				p.sayf("Worker %s: database %s, queue %s. Stop it with Ctrl-C.", printable(cfg.Worker.Name), database, queue)
				return b.Work(ctx)
			})
		},
	}
	workFlags(cmd)
	return cmd
}

// workFlags are those of everything that works until it is stopped.
func workFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	concurrencyFlag(cmd)
	flags.Duration("grace", 0, "`TIME` to finish in after a stop signal (30s)")
	bind(flags, "grace", "worker.grace")
	flags.String("queues", "", "`QUEUES` to work on with their priorities, as urgent=5,default=1")
	bind(flags, "queues", "worker.queues")
}
