package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func (p *program) queueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "List, pause and resume queues",
		Long: `Queue works on the queues that carry batches to workers. A transfer has its queue
from its submission, and workers serve those of the setting worker.queues.`,
		Example: `  baler queue list
  baler queue pause default
  baler queue resume default
  baler queue weight low 3`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.queueListCommand(), p.queuePauseCommand(), p.queueResumeCommand(), p.queueWeightCommand())
	return cmd
}

// embedded reports whether the queue lives inside each process.
func embedded(cfg config.Config) bool { return cfg.Redis.URL == string(config.Embedded) }

// errEmbedded is the error of commands that need a queue outside this process.
var errEmbedded = errors.New("the embedded queue exists only inside each process; " +
	"set BALER_REDIS_URL or --redis to use a queue on a server")

// withQueue opens Baler for a command that works on the queue itself.
func (p *program) withQueue(cmd *cobra.Command, do func(context.Context, *baler.Baler, config.Config) error) error {
	cfg, err := p.ownSettings(cmd)
	if err != nil {
		return err
	}
	if embedded(cfg) {
		return errEmbedded
	}
	return p.with(cmd, baler.Open, do)
}

// withQueues is withQueue for a command that also works through a server, which may have an
// embedded queue.
func (p *program) withQueues(cmd *cobra.Command, do func(context.Context, fleet) error) error {
	cfg, err := p.settings(cmd)
	if err == nil && cfg.Server == "" && embedded(cfg) {
		err = errEmbedded
	}
	if err != nil {
		return err
	}
	return p.withSystem(cmd, baler.Open, func(ctx context.Context, b system, _ config.Config) error { return do(ctx, b) })
}

// queueObject is a queue in JSON.
type queueObject struct {
	Type string `json:"type"` // always "queue"
	baler.QueueStats
}

func (p *program) queueListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the queues and their backlog",
		Long: `List prints for each queue its state, how many batches wait, run and wait for
another attempt, and how many files wait to be collected into batches.`,
		Example: `  baler queue list
  baler queue list --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withQueues(cmd, func(ctx context.Context, b fleet) error {
				queues, err := b.Queues(ctx)
				if err != nil {
					return err
				}
				return p.listQueues(queues)
			})
		},
	}
}

func (p *program) listQueues(queues []baler.QueueStats) error {
	if p.json {
		for _, q := range queues {
			if err := p.object(queueObject{"queue", q}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(queues) == 0 {
		p.printf("There are no queues yet: the first submitted transfer creates one.")
		return nil
	}
	list := newTable(column{title: "QUEUE", shrink: end}, words("STATE"), numbers("WAITING"), numbers("RUNNING"), numbers("RETRYING"),
		numbers("FILES IN GROUPS"))
	for _, q := range queues {
		state := "running"
		if q.Paused {
			state = "paused"
		}
		list.row(printable(q.Name), state, count(int64(q.Pending)), count(int64(q.Active)), count(int64(q.Retrying)),
			count(int64(q.Grouped)))
	}
	list.within(tableWidth(p.stdout)).write(p.stdout)
	return nil
}

func (p *program) queuePauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause NAME",
		Short: "Pause a queue",
		Long: `Pause stops workers from taking batches from a queue. Running batches finish. It
exits with 1 if there is no such queue or it is already paused.`,
		Example:           `  baler queue pause default`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeQueues(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.pauseQueue(cmd, args[0], true)
		},
	}
}

func (p *program) queueResumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume NAME",
		Short: "Resume a paused queue",
		Long: `Resume lets workers take batches from a queue that was paused with 'baler queue
pause'. It exits with 1 if there is no such queue or it is not paused.`,
		Example:           `  baler queue resume default`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeQueues(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.pauseQueue(cmd, args[0], false)
		},
	}
}

func (p *program) pauseQueue(cmd *cobra.Command, name string, pause bool) error {
	return p.withQueues(cmd, func(ctx context.Context, b fleet) error {
		q, err := findQueue(ctx, b, name)
		if err != nil {
			return err
		}
		state := "running"
		if pause {
			state = "paused"
		}
		if q.Paused == pause {
			return fmt.Errorf("queue %s is already %s", printable(name), state)
		}
		if err := b.PauseQueue(ctx, name, pause); err != nil {
			return err
		}
		if q.Paused = pause; p.json {
			return p.object(queueObject{"queue", q})
		}
		p.printf("Queue %s is %s.", printable(name), state)
		return nil
	})
}

// findQueue returns an error for a queue that does not exist: Redis would pause that, too.
func findQueue(ctx context.Context, b fleet, name string) (baler.QueueStats, error) {
	queues, err := b.Queues(ctx)
	if err != nil {
		return baler.QueueStats{}, err
	}
	i := slices.IndexFunc(queues, func(q baler.QueueStats) bool { return q.Name == name })
	if i >= 0 {
		return queues[i], nil
	}
	names := make([]string, len(queues))
	for i, q := range queues {
		names[i] = q.Name
	}
	if len(names) == 0 {
		return baler.QueueStats{}, fmt.Errorf("there is no queue %q: there are no queues yet", name)
	}
	return baler.QueueStats{}, fmt.Errorf("there is no queue %q; there is %s%s", name, strings.Join(names, ", "), didYouMean(name, names...))
}
