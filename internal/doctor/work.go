package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// diagnoseWork checks whether workers process the unfinished transfers.
func (d *doctor) diagnoseWork(ctx context.Context) []Check {
	workers, err := d.store.Workers(ctx)
	if err != nil {
		return []Check{ill("workers", StatusError, err, "look at the database's log")}
	}
	checks := append([]Check{diagnoseWorkers(workers)}, d.diagnoseSigning(workers)...)
	handlers, finalizers, err := d.store.NeededHandlers(ctx)
	if err != nil {
		return append(checks, ill("handlers", StatusError, err, "look at the database's log"))
	}
	for _, name := range finalizers {
		handlers = append(handlers, ledger.FinalizerName(name))
	}
	return append(checks, missingHandlers(handlers, workers), d.diagnoseBacklog(ctx, workers), d.diagnoseWaiting(ctx))
}

func diagnoseWorkers(workers []tasks.Worker) Check {
	if len(workers) == 0 {
		return Check{"workers", StatusWarning, "none is running", "start one with 'baler worker'; 'baler run' needs none"}
	}
	idle := slices.DeleteFunc(slices.Clone(workers), takesBatches)
	c := well("workers", "%d running", len(workers))
	if len(idle) > 0 {
		c = Check{
			"workers", StatusWarning, fmt.Sprintf("%d running, %d of them take no batches", len(workers), len(idle)),
			fmt.Sprintf("resume one with 'baler workers resume %s'", idle[0].Name),
		}
	}
	return c
}

// diagnoseWaiting counts the transfers that stand still, by the reason.
func (d *doctor) diagnoseWaiting(ctx context.Context) Check {
	around, err := d.store.Surroundings(ctx)
	if err != nil {
		return ill("waiting", StatusError, err, "look at the database's log")
	}
	for i := range d.queues {
		if d.queues[i].Paused {
			around.PausedQueues = append(around.PausedQueues, d.queues[i].Name)
		}
	}
	around.QueueFault = d.queueFault
	counts, err := d.store.CountWaiting(ctx, &around)
	if err != nil {
		return ill("waiting", StatusError, err, "look at the database's log")
	}
	var parts []string
	for _, why := range ledger.WaitReasons() {
		if n := counts[why]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s for %s", humanize.Comma(n), waitNames()[why]))
		}
	}
	if len(parts) == 0 {
		return well("waiting", "no transfer stands still")
	}
	return Check{
		"waiting", StatusWarning, "transfers stand still: " + strings.Join(parts, ", "),
		"'baler status ID' says what a transfer waits for",
	}
}

func waitNames() map[ledger.WaitReason]string {
	return map[ledger.WaitReason]string{
		ledger.WaitsForWorker: "a worker", ledger.WaitsForPerson: "a person", ledger.WaitsForProducer: "their producer",
		ledger.WaitsForRedis: "Redis", ledger.WaitsForLimit: "a limit", ledger.WaitsForDatabase: "the database",
		ledger.WaitsForSlot: "a free slot", ledger.WaitsForRetry: "the next attempt at files that failed",
	}
}

func takesBatches(w tasks.Worker) bool { return w.DesiredState == tasks.WorkerRunning }

// missingHandlers checks that a worker that takes batches has each needed handler.
func missingHandlers(needed []string, workers []tasks.Worker) Check {
	var missing []string
	for _, name := range needed {
		if !slices.ContainsFunc(workers, func(w tasks.Worker) bool { return takesBatches(w) && slices.Contains(w.Handlers, name) }) {
			missing = append(missing, name)
		}
	}
	switch {
	case len(needed) == 0:
		return well("handlers", "no unfinished transfer needs one")
	case len(missing) > 0 && len(workers) > 0:
		return Check{
			"handlers", StatusError, "unfinished transfers need " + strings.Join(missing, ", ") + ", which no worker has",
			"start a worker that has them, or cancel those transfers",
		}
	case len(missing) > 0: // the check of workers has the hint
		return Check{
			"handlers", StatusWarning, "unfinished transfers need " + strings.Join(missing, ", ") + ", and no worker is running",
			"start a worker that has them",
		}
	}
	return well("handlers", "workers have all handlers that unfinished transfers need")
}

const (
	// overdueAfter is how late a due batch may be before the dispatcher counts as stuck;
	// it sends due batches every second.
	overdueAfter = 2 * time.Minute

	// standingAfter is how long a batch may wait in a queue in which none runs.
	standingAfter = 5 * time.Minute
)

// diagnoseBacklog checks whether workers process the files that wait.
func (d *doctor) diagnoseBacklog(ctx context.Context, workers []tasks.Worker) Check {
	totals, err := d.store.Totals(ctx)
	if err != nil {
		return ill("backlog", StatusError, err, "look at the database's log")
	}
	overdue, err := d.store.Overdue(ctx, d.now().Add(-overdueAfter))
	if err != nil {
		return ill("backlog", StatusError, err, "look at the database's log")
	}
	waiting := totals.Registered - totals.Finished
	c := well("backlog", "%s %s to do", humanize.Comma(waiting), english.PluralWord(int(waiting), "file", ""))
	standing := slices.IndexFunc(d.queues, func(q queue.Stats) bool { return !q.Paused && q.Active == 0 && q.Age > standingAfter })
	switch {
	case waiting > 0 && !slices.ContainsFunc(workers, takesBatches):
		c.Status, c.Hint = StatusWarning, "no worker takes batches: start or resume one"
	case overdue > 0:
		c.Status, c.Hint = StatusError, "no dispatcher works: look at the logs of workers and of 'baler serve'"
		c.Detail += fmt.Sprintf("; %s overdue by more than %s", english.Plural(int(overdue), "batch", "batches"), overdueAfter)
	case standing >= 0:
		q := d.queues[standing]
		c.Status, c.Hint = StatusError, fmt.Sprintf("let a worker take this queue: --queues %s=1", q.Name)
		c.Detail += fmt.Sprintf("; queue %s is stuck: its oldest batch has waited for %s, and none runs", q.Name, q.Age.Round(time.Second))
	}
	return c
}
