package cli

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) scheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Add, list, run, pause and remove schedules",
		Long: `A schedule makes a transfer at each time of a cron expression. "baler serve" and
"baler worker" begin it, once for each time, whichever of them runs; times that were
missed because none ran are caught up once.`,
		Example: `  baler schedule add nightly --cron '30 2 * * *' --zone Europe/Berlin --recipe fixity ~/collection
  baler schedule run nightly
  baler schedule pause nightly
  baler schedule remove nightly`,
		Args: unknownCommand,
		RunE: p.listSchedules,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the schedules",
			Long: `List shows each schedule with its cron expression, its next time, and how its last
run ended.`,
			Example: "  baler schedule list --json", Args: cobra.NoArgs, RunE: p.listSchedules,
		},
		p.addScheduleCommand(),
		p.scheduleAction("run NAME", "Run a schedule now",
			`Run begins a transfer of a schedule within seconds, by a server or a worker that runs.
The next time of the schedule stays.`, "Schedule %s runs within seconds.",
			system.RunSchedule),
		p.scheduleAction("pause NAME", "Pause a schedule",
			`Pause keeps a schedule from beginning transfers, until 'schedule resume'. A transfer that
runs goes on.`, "Schedule %s is paused.",
			func(b system, ctx context.Context, name string) error { return b.PauseSchedule(ctx, name, true) }),
		p.scheduleAction("resume NAME", "Resume a paused schedule",
			`Resume lets a paused schedule begin transfers again, from its next time on. Times that it
missed while it was paused are not caught up.`, "Schedule %s goes on with its next time.",
			func(b system, ctx context.Context, name string) error { return b.PauseSchedule(ctx, name, false) }),
		p.scheduleAction("remove NAME", "Remove a schedule",
			"Remove deletes a schedule. Its transfers and their results stay.", "Schedule %s is removed.", system.RemoveSchedule),
	)
	return cmd
}

// scheduleObject is a schedule in JSON.
type scheduleObject struct {
	Type         string                `json:"type"` // always "schedule"
	Name         string                `json:"name"`
	Cron         string                `json:"cron"`
	Zone         string                `json:"time_zone"`
	Overlap      baler.ScheduleOverlap `json:"overlap"`
	Paused       bool                  `json:"paused"`
	Paths        []string              `json:"paths"`
	Recipe       string                `json:"recipe"`
	Queue        string                `json:"queue"`
	StopAfter    string                `json:"stop_after,omitempty"`
	Deadline     string                `json:"deadline,omitempty"`
	DueAt        time.Time             `json:"due_at"`
	LastAt       *time.Time            `json:"last_at,omitempty"`
	LastTransfer string                `json:"last_transfer,omitempty"`
	LastError    string                `json:"last_error,omitempty"`
}

func describeSchedule(s *baler.Schedule) scheduleObject {
	return scheduleObject{
		"schedule", s.Name, s.Cron, cmp.Or(s.Zone, "UTC"), s.Overlap, s.Paused, s.Paths, s.Recipe, s.Queue,
		s.StopAfter, s.Deadline, s.DueAt.UTC(), unlessZero(s.LastAt), s.LastTransfer, s.LastError,
	}
}

func (p *program) listSchedules(cmd *cobra.Command, _ []string) error {
	return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
		all, err := b.Schedules(ctx)
		if err != nil {
			return err
		}
		list := newTable(words("NAME"), words("WHEN"), words("RECIPE"), words("NEXT"),
			column{title: "LAST", shrink: drop}, column{title: "RESULT", shrink: end})
		for i := range all {
			s := &all[i]
			if p.json {
				if err := p.object(describeSchedule(s)); err != nil {
					return err
				}
				continue
			}
			next := local(s.DueAt)
			if s.Paused {
				next = "paused"
			}
			list.row(s.Name, s.Cron+" "+cmp.Or(s.Zone, "UTC"), s.Recipe, next, orNever(s.LastAt),
				cmp.Or(firstLine(s.LastError), shortID(s.LastTransfer)))
		}
		switch {
		case p.json:
		case len(all) == 0:
			p.printf("There are no schedules. 'baler schedule add NAME --cron EXPRESSION PATH' makes one.")
		default:
			list.within(tableWidth(p.stdout)).write(p.stdout)
		}
		return nil
	})
}

// shortID is the beginning of a transfer's id, by which commands find it.
func shortID(uuid string) string { return uuid[:min(len(uuid), len("01890000-0000-7"))] }

func (p *program) addScheduleCommand() *cobra.Command {
	var s baler.Schedule
	var overlap string
	cmd := &cobra.Command{
		Use: "add NAME PATH...", Short: "Add a schedule",
		Long: `Add makes a schedule: at each time of its cron expression a transfer of the paths
begins. The expression has five fields (minute, hour, day, month and weekday), or is
@hourly, @daily or '@every 6h'; its times are in the time zone --zone. --overlap says what
happens when the previous transfer still runs.`,
		Example: `  baler schedule add nightly --cron '30 2 * * *' --zone Europe/Berlin --recipe fixity ~/collection
  baler schedule add scans --cron '@every 6h' --overlap queue /data/scans`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.Name, s.Overlap, s.Paths = args[0], baler.ScheduleOverlap(overlap), args[1:]
			return p.withSystem(cmd, baler.OpenProducer, func(ctx context.Context, b system, cfg config.Config) error {
				if cfg.Server == "" { // paths are those of the server otherwise
					for i, path := range s.Paths {
						abs, err := filepath.Abs(path)
						if err != nil {
							return err
						}
						s.Paths[i] = abs
					}
				}
				added, err := b.AddSchedule(ctx, s)
				if err != nil {
					return err
				}
				if p.json {
					return p.object(describeSchedule(&added))
				}
				p.printf("Schedule %s runs next at %s.", added.Name, local(added.DueAt))
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&s.Cron, "cron", "", "when, as cron `EXPRESSION`: minute, hour, day, month, day of the week; or @daily, @every 6h")
	flags.StringVar(&s.Zone, "zone", "", "time `ZONE` of the expression, such as Europe/Berlin (default: UTC)")
	flags.StringVar(&s.Recipe, "recipe", "", "`NAME` of a recipe that servers and workers know (default: default)")
	flags.StringVar(&overlap, "overlap", "", "`POLICY` while the run before goes on: skip, queue or allow (default: skip)")
	flags.Var(checked{&s.Queue, tasks.CheckQueue}, "queue", "put its batches into the queue of this `NAME` (default: default)")
	stopAfterFlag(cmd, &s.StopAfter)
	flags.Var(checked{&s.Deadline, tasks.CheckRelativeDeadline}, "deadline",
		"cancel a run that has not ended after this `TIME`, such as 6h, or none (default: what the recipe says)")
	if err := cmd.MarkFlagRequired("cron"); err != nil {
		panic(err) // there is such a flag
	}
	return cmd
}

func (p *program) scheduleAction(use, short, long, said string, do func(system, context.Context, string) error) *cobra.Command {
	verb, _, _ := strings.Cut(use, " ")
	return &cobra.Command{
		Use: use, Short: short, Long: long, Example: "  baler schedule " + verb + " nightly", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				if err := do(b, ctx, args[0]); err != nil {
					return err
				}
				if p.json {
					return p.object(struct {
						Type string `json:"type"` // always "schedule"
						Name string `json:"name"`
					}{"schedule", args[0]})
				}
				p.printf(said, printable(args[0]))
				return nil
			})
		},
	}
}
