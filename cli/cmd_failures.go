package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) failuresCommand() *cobra.Command {
	var (
		f     filterFlags
		limit int
	)
	cmd := &cobra.Command{
		Use:   "failures ID",
		Short: "Count the failures of a transfer by kind",
		Long: `Failures groups the results that are failures (failed, error, timed_out) by step,
outcome, code and message, the most frequent first. In a message … stands for what
differs from file to file: quoted text, absolute paths and numbers. The path is that
of the first file of each group; the times are those at which the first and the last
of its results ended. 'baler retry --group' runs the files of a group again, and
'baler results --group' lists them. At most the first 100,000 failures of each step
are counted.`,
		Example: `  baler failures latest
  baler failures 12 --step checksum --outcome error
  baler failures 12 --group 5d0ac4f1 --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.resultFilter(cmd)
			if err != nil {
				return err
			}
			for _, o := range filter.Outcomes {
				if !o.IsFailure() {
					return usagef("%s is not a failure: give failed, error or timed_out", o)
				}
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				return p.failures(ctx, b, args[0], filter, f.group, limit)
			})
		},
	}
	cmd.Flags().SortFlags = false
	f.add(p, cmd)
	numberFlag(cmd, &limit, "limit", 100, "`N` groups at most")
	return cmd
}

// failureObject is a group of failures in JSON.
type failureObject struct {
	Type    string        `json:"type"` // always "failures"
	Group   string        `json:"group"`
	Step    string        `json:"step"`
	Outcome tasks.Outcome `json:"outcome"`
	Code    string        `json:"code"`
	Message string        `json:"message"`
	Files   int64         `json:"files"`
	File    int64         `json:"first_file"`
	Path    string        `json:"first_path"`
	First   time.Time     `json:"first_at"`
	Last    time.Time     `json:"last_at"`
}

func (p *program) failures(ctx context.Context, b system, id string, filter baler.ResultFilter, group string, limit int) error {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	if err := hasStep(&t, filter.Step); err != nil {
		return err
	}
	if err := chooseGroup(ctx, b, &t, group, &filter); err != nil {
		return err
	}
	groups, err := b.Failures(ctx, t, filter, limit)
	if err != nil {
		return err
	}
	step := 0 // all
	for _, s := range t.Steps {
		if s.Name == filter.Step {
			step = s.Number
		}
	}
	if !t.CountsAllFailures(step) {
		totals := t.Totals()
		p.notef("note: so many files have failed that the first %s failures of each step are counted, of %s in all; "+
			"'baler results %s --outcome failed' lists them.",
			count(tasks.MaxCountedFailures), count(totals.Failures()), number(&t))
	}
	names := make(map[int]string, len(t.Steps))
	for _, s := range t.Steps {
		names[s.Number] = s.Name
	}
	list := newTable(words("GROUP"), numbers("FILES"), column{title: "STEP", shrink: end}, outcomes("OUTCOME"),
		column{title: "CODE", shrink: end},
		column{title: "MESSAGE", shrink: end}, column{title: "FIRST AT", shrink: drop}, column{title: "LAST AT", shrink: drop},
		column{title: "FIRST FILE", shrink: start})
	for _, g := range groups {
		if p.json {
			o := failureObject{"failures", g.ID(), names[g.Step], g.Outcome, g.Code, g.Message, g.Files, g.Example, g.Path, g.First, g.Last}
			if err := p.object(o); err != nil {
				return err
			}
			continue
		}
		list.row(g.ID(), count(g.Files), printable(names[g.Step]), string(g.Outcome), printable(g.Code), printable(g.Message),
			local(g.First), local(g.Last), quoted(g.Path))
	}
	if p.json {
		return nil
	}
	if len(groups) == 0 && !t.CountsAllFailures(step) {
		p.notef("None of the failures that are counted is selected.")
		return nil
	}
	if len(groups) == 0 {
		p.notef("No failures.")
		return nil
	}
	width, _ := terminal(p.stdout.w) // elsewhere nothing is cut: retry takes the whole message
	list.within(width).colored(p.colors(p.stdout)).write(p.stdout)
	return nil
}
