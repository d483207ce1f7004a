package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

// queueWeightObject is the weight of a queue in JSON.
type queueWeightObject struct {
	Type   string `json:"type"` // always "queue-weight"
	Queue  string `json:"queue"`
	Weight int    `json:"weight,omitempty"` // left out: that of the configuration of each worker
}

func (p *program) queueWeightCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "weight NAME N",
		Short: "Change the weight of a queue while workers run",
		Long: `Weight sets how often workers take batches from a queue beside the others that they
serve, from 1 to 100, in place of the number in worker.queues. "none" returns to
that number. Workers follow within about five seconds; running batches finish.
Workers that do not serve the queue do not begin to.`,
		Example: `  baler queue weight low 3
  baler queue weight low none`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: p.completeQueues(),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, weight := args[0], 0
			if err := tasks.CheckQueue(name); err != nil || name == "" {
				return usagef("%s is not the name of a queue", quoted(name))
			}
			if args[1] != "none" {
				n, err := strconv.Atoi(args[1])
				if err != nil || n < 1 || n > tasks.MaxWeight {
					return usagef("the weight of a queue is a number from 1 to %d, or none, not %s", tasks.MaxWeight, quoted(args[1]))
				}
				weight = n
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				l, err := b.SetLimit(ctx, tasks.ScopeQueue, name, tasks.LimitChange{Weight: &weight})
				if err != nil {
					return err
				}
				if l.Note != "" {
					p.notef("note: the weight of queue %s: %s", printable(name), printable(l.Note))
				}
				if p.json {
					return p.object(queueWeightObject{"queue-weight", name, l.Weight})
				}
				now := "that of the configuration of each worker"
				if l.Weight > 0 {
					now = strconv.Itoa(l.Weight)
				}
				p.printf("%s", fmt.Sprintf("The weight of queue %s is %s. Takes effect within seconds.", printable(name), now))
				return nil
			})
		},
	}
}
