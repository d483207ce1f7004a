package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) workersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "workers",
		Short: "List, pause, resume and drain workers, and change their log levels",
		Long: `Workers lists the live workers, and pauses, resumes or drains them. A drained worker
stops after its running batches. A worker is live if it has sent a heartbeat in the
last 30 seconds.`,
		Example: `  baler workers
  baler workers pause host-4711
  baler workers drain host-4711`,
		Args: unknownCommand,
		RunE: p.listWorkers,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the live workers", Example: "  baler workers list --json",
			Long: "List prints the live workers with their states, and how many batches each runs at\n" +
				"once. It is what workers does without a command.",
			Args: cobra.NoArgs, RunE: p.listWorkers,
		},
		p.desiredStateCommand("pause", "Pause a worker", tasks.WorkerPaused,
			"Worker %s will pause; its running batches finish."),
		p.desiredStateCommand("resume", "Resume a paused worker", tasks.WorkerRunning, "Worker %s will resume."),
		p.desiredStateCommand("drain", "Stop a worker after its running batches", tasks.WorkerDraining,
			"Worker %s will stop after its running batches."),
		p.workerLogCommand(),
	)
	return cmd
}

// workerObject is a live worker in JSON.
type workerObject struct {
	Type        string    `json:"type"` // always "worker"
	Worker      string    `json:"worker"`
	State       string    `json:"state"` // desired: running, paused or draining
	Concurrency int       `json:"concurrency"`
	InUse       *int      `json:"in_use,omitempty"` // batches of the global limit that it runs or has reserved
	Handlers    []string  `json:"handlers"`
	Version     string    `json:"version"`
	LogLevel    string    `json:"log_level,omitempty"` // that a person has set
	StartedAt   time.Time `json:"started_at"`
	SeenAt      time.Time `json:"seen_at"`
	Trouble     string    `json:"trouble,omitempty"` // why its row in the database cannot be read
}

// describeWorker returns the JSON object of a worker, with in_use when there is a global limit.
func describeWorker(w *tasks.Worker, limited bool) workerObject {
	var held *int
	if limited {
		held = new(w.LimitsInUse[tasks.LimitKey(tasks.ScopeAll, "")])
	}
	return workerObject{
		"worker", w.Name, nameOfState(w.DesiredState), w.Slots, held, append([]string{}, w.Handlers...), w.Version, w.LogLevel,
		w.StartedAt, w.SeenAt, w.Trouble,
	}
}

func (p *program) listWorkers(cmd *cobra.Command, _ []string) error {
	return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
		workers, err := b.Workers(ctx)
		if err != nil {
			return err
		}
		if len(workers) == 0 && !p.json {
			p.printf("No worker is running: start one with 'baler worker'.")
			return nil
		}
		limits, err := b.Limits(ctx)
		if err != nil {
			return err
		}
		limited := slices.ContainsFunc(limits, func(c tasks.Limit) bool { return c.Scope == tasks.ScopeAll && c.InFlight > 0 })
		if !p.json {
			p.workerTable(workers, limited)
			return nil
		}
		for i := range workers {
			if err := p.object(describeWorker(&workers[i], limited)); err != nil {
				return err
			}
		}
		return nil
	})
}

// workerTable lists workers for people.
func (p *program) workerTable(workers []tasks.Worker, limited bool) {
	now := p.now()
	list := newTable(column{title: "WORKER", shrink: end}, words("STATE"), column{title: "CONCURRENCY", short: "BATCHES", right: true},
		numbers("LIMIT"), numbers("HANDLERS"), column{title: "VERSION", shrink: end},
		numbers("UP"), numbers("SEEN"))
	var unreadable []string
	for i := range workers {
		w := describeWorker(&workers[i], limited)
		limit := ""
		if w.InUse != nil {
			limit = count(int64(*w.InUse))
		}
		if w.Trouble != "" {
			unreadable = append(unreadable, fmt.Sprintf("Worker %s takes no batches: %s.", printable(w.Worker), printable(w.Trouble)))
			list.row(printable(w.Worker), "unreadable", "–", "", "–", "–", "–", "–")
			continue
		}
		list.row(printable(w.Worker), w.State, count(int64(w.Concurrency)), limit, count(int64(len(w.Handlers))),
			printable(w.Version), age(now.Sub(w.StartedAt)), age(now.Sub(w.SeenAt))+" ago")
	}
	list.within(tableWidth(p.stdout)).write(p.stdout)
	for _, line := range unreadable {
		p.printf("%s", line)
	}
}

// desiredStateCommand makes a command that sets the desired state of a worker.
func (p *program) desiredStateCommand(verb, short string, desired tasks.DesiredState, told string) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " NAME",
		Short:             short,
		Long:              short + ". Takes effect within seconds.",
		Example:           "  baler workers " + verb + " host-4711",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeWorkers(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				w, err := setWorkerState(ctx, b, args[0], desired)
				switch {
				case err != nil:
					return err
				case p.json:
					return p.object(describeWorker(&w, false))
				}
				p.printf(told, printable(w.Name))
				return nil
			})
		},
	}
}

// workerLogCommand makes the command that changes the log level of a worker.
func (p *program) workerLogCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "log NAME LEVEL",
		Short: "Change the log level of a worker while it runs",
		Long: `Log sets the level of a worker's log: debug, info, warn or error, or configured for
that of its settings. The worker applies it within seconds and says so in its log. It
lasts until the worker ends. The signal SIGUSR1 does the same for the process that gets
it, also for serve and watch: it changes between debug and the level of the settings.`,
		Example:           "  baler workers log host-4711 debug\n  baler workers log host-4711 configured",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: p.completeWorkers(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(logLevels(), args[1]) {
				return usagef("%q is no log level: give %s", args[1], strings.Join(logLevels(), ", "))
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				w, err := findWorker(ctx, b, args[0])
				if err != nil {
					return err
				}
				if err := b.SetWorkerLogLevel(ctx, w.Name, args[1]); err != nil {
					return err
				}
				if p.json {
					w.LogLevel = args[1]
					return p.object(describeWorker(&w, false))
				}
				p.printf("Worker %s will log with level %s.", printable(w.Name), args[1])
				return nil
			})
		},
	}
}

func logLevels() []string { return []string{"debug", "info", "warn", "error", "configured"} }

// setWorkerState sets the desired state of a live worker.
func setWorkerState(ctx context.Context, b fleet, name string, desired tasks.DesiredState) (w tasks.Worker, err error) {
	if w, err = findWorker(ctx, b, name); err != nil {
		return w, err
	}
	w.DesiredState = desired
	return w, b.SetWorkerState(ctx, name, desired)
}

// findWorker finds live workers only: the database may still have a row of a dead one.
func findWorker(ctx context.Context, b fleet, name string) (w tasks.Worker, err error) {
	workers, err := b.Workers(ctx)
	if err != nil {
		return w, err
	}
	i := slices.IndexFunc(workers, func(w tasks.Worker) bool { return w.Name == name })
	if i < 0 {
		return w, fmt.Errorf("%w: %s ('baler workers' lists them)", baler.ErrWorkerNotFound, printable(name))
	}
	return workers[i], nil
}
