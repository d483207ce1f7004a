package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func (p *program) workerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Process submitted files",
		Long: `Worker processes batches from the queue until it is stopped. On SIGINT or SIGTERM
it takes no more batches, finishes the running ones within the grace period,
returns the rest to the queue, and exits with 0. A second signal kills it.

It serves /metrics, /healthz and /readyz at its admin address, which the log names.`,
		Example: `  baler worker
  baler worker --concurrency 8 --queues urgent=5,default=1
  baler worker --admin-listen :9464`,
		Args:        cobra.NoArgs,
		Annotations: map[string]string{service: "true"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, baler.Open, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				if err := b.CheckRoots(); err != nil { // before it says that it works
					return err
				}
				database, queue := b.Describe()
				p.notef("Worker %s: database %s, queue %s. Stop it with Ctrl-C.", printable(cfg.Worker.Name), database, queue)
				return b.Work(ctx)
			})
		},
	}
	workFlags(cmd)
	flags := cmd.Flags()
	flags.String("admin-listen", "", "`ADDRESS` of /metrics, /healthz and /readyz, or off (default: a free port of this host)")
	bind(flags, "admin-listen", "worker.admin_listen")
	flags.Bool("profile", false, "serve profiles at /debug/pprof/ of the admin address")
	bind(flags, "profile", "worker.profile")
	return cmd
}

// workFlags are the flags of commands that run batches until they are stopped.
func workFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	concurrencyFlag(cmd)
	durationVar(flags, new(time.Duration), "grace", 0, "`TIME` to finish running batches after a stop signal (default: 30s)")
	bind(flags, "grace", "worker.grace")
	flags.String("queues", "", "`QUEUES` with their priorities, such as urgent=5,default=1")
	bind(flags, "queues", "worker.queues")
}
