package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) statusCommand() *cobra.Command {
	var (
		watch bool
		limit int
	)
	cmd := &cobra.Command{
		Use:   "status [ID]",
		Short: "Show recent transfers, or one transfer in detail",
		Long: `Status lists the newest transfers, or shows one of them step by step. With --watch
it updates until the transfer has ended, and exits with 3 if files failed. On a
terminal it fills the screen: a bar of outcomes for each step, rates and time left,
the workers and the newest failures; q leaves it. Without an ID it shows the newest
transfers until you leave.`,
		Example: `  baler status
  baler status 12
  baler status --watch latest
  baler status --watch`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if watch && len(args) == 0 {
				if _, _, ok := sizeOf(p.stdout); !ok || p.json {
					return errNoTerminal
				}
			}
			if limit < 1 {
				return usagef("--limit %d: give a number from 1", limit)
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				switch {
				case watch && len(args) == 0:
					return p.watchList(ctx, b)
				case len(args) == 0:
					return p.listTransfers(ctx, b, limit)
				case watch:
					t, err := b.FindTransfer(ctx, args[0])
					if err != nil {
						return err
					}
					return p.watch(ctx, b, t.UUID)
				default:
					return p.showTransfer(ctx, b, args[0])
				}
			})
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "update until the transfer has ended")
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "list at most `N` transfers")
	return cmd
}

func (p *program) listTransfers(ctx context.Context, b system, limit int) error {
	transfers, err := b.Newest(ctx, limit)
	if err != nil {
		return err
	}
	now := p.now()
	if p.json {
		for i := range transfers {
			if err := p.summarize(&transfers[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(transfers) == 0 {
		p.printf("There are no transfers yet: start one with 'baler run PATH' or 'baler submit PATH'.")
		return nil
	}
	transferTable(transfers, now).within(tableWidth(p.stdout)).colored(p.colors(p.stdout)).write(p.stdout)
	return nil
}

// transferTable has a row for each transfer.
func transferTable(transfers []tasks.Transfer, now time.Time) *table {
	hues := make(map[string]color, len(transfers))
	state := column{title: "STATE", hue: func(cell string) color { return hues[cell] }}
	list := newTable(numbers("ID"), column{title: "NAME", shrink: start}, state, numbers("FILES"),
		column{title: "SIZE", right: true, shrink: spare}, numbers("DONE"), numbers("%"), alarming("FAILED", "", red), numbers("AGE"))
	for i := range transfers {
		t := &transfers[i]
		since := "–" // of a row that cannot be read
		if !t.CreatedAt.IsZero() {
			since = age(now.Sub(t.CreatedAt))
		}
		hues[stateInList(t)] = colorOfState(t)
		list.row(number(t), quoted(t.Name), stateInList(t), count(t.Files), size(t.Bytes), count(t.Finished),
			percent(t.Finished, t.Files), count(failuresOf(t)), since)
	}
	return list
}

func (p *program) showTransfer(ctx context.Context, b system, id string) error {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	explained := []tasks.Transfer{t}
	if err := b.Explain(ctx, explained); err != nil {
		return err
	}
	t = explained[0]
	var now tasks.LiveWork
	if t.State == tasks.StateRunning || t.State == tasks.StateOpen {
		if now, err = b.LiveWork(ctx, t); err != nil {
			return err
		}
	}
	if err := b.ExplainTime(ctx, &t); err != nil {
		return err
	}
	if p.json {
		s := p.newSummary(&t)
		s.RunningFiles = now.Files
		return p.object(s)
	}
	p.detail(p.stdout, &t, p.now())
	p.reportRunning(p.stdout, now.Files)
	if err := p.reportFailures(ctx, p.stdout, b, &t); err != nil {
		return err
	}
	for _, hint := range hints(&t) {
		p.printf("\n%s", hint)
	}
	return nil
}

// hints returns the reasons why a transfer does not continue, and how to continue it.
func hints(t *tasks.Transfer) (all []string) {
	switch {
	case t.State == tasks.StateInterrupted && len(t.Sources) == 0 && !t.ByServer:
		all = append(all, fmt.Sprintf("Its submission was interrupted, so some files may not be registered: submit the same list again with\n"+
			"'baler submit --resume %s -', or cancel it with 'baler cancel %[1]s'.", number(t)))
	case t.State == tasks.StateInterrupted:
		all = append(all, fmt.Sprintf("Its submission was interrupted, so some files may not be registered: resume it with\n"+
			"'baler submit --resume %s'. If it was started by 'baler run', run the same command again.", number(t)))
	}
	if t.Trouble != "" && t.State.Ended() {
		return append(all, fmt.Sprintf("%s.\nCorrect the database, or delete the transfer with 'baler delete %s'.",
			strings.ToUpper(t.Trouble[:1])+printable(t.Trouble[1:]), number(t)))
	}
	if t.Trouble != "" {
		all = append(all, fmt.Sprintf("It is stopped: %s.\nCorrect that, then continue with 'baler resume %s', "+
			"or cancel it with 'baler cancel %s'.", printable(t.Trouble), t.UUID, t.UUID))
		return all
	}
	if t.Stopped != "" {
		return append(all, howToGoOn(t))
	}
	if text := endedByDeadline(t, ""); text != "" {
		return append(all, text)
	}
	if step, ok := t.AwaitsApproval(); ok && !paused(t) {
		all = append(all, fmt.Sprintf("Step %s waits for approval: 'baler approve %s' lets %s run, 'baler reject %[2]s' cancels the transfer.",
			printable(step.Name), number(t), files(step.Selected-step.Total())))
	}
	if paused(t) {
		all = append(all, fmt.Sprintf("It is paused. Resume it with 'baler resume %s'.", number(t)))
	}
	return all
}
