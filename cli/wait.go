package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// waitAndReport waits for the end of a transfer and reports on standard error.
func (p *program) waitAndReport(ctx context.Context, b system, t *tasks.Transfer) error {
	p.noteBlockers(ctx, b, t)
	d := p.newDisplay(false, false)
	why := reasons{b: b}
	waiting, leave := context.WithCancel(ctx)
	defer leave()
	stopped := false
	ended, err := b.Wait(waiting, t.UUID, func(t tasks.Transfer) {
		why.add(ctx, &t)
		d.show(read(&t, time.Now()))
		if stopped = t.Stopped != ""; stopped {
			leave()
		}
	})
	d.end()
	if stopped && ctx.Err() == nil {
		return p.stoppedByFailures(ctx, b, t, false)
	}
	if err != nil {
		return p.notWaiting(ctx, number(t), err)
	}
	if p.json {
		if err := p.summarize(&ended); err != nil {
			return err
		}
		return failed(&ended)
	}
	var text bytes.Buffer // in JSON, notes are written by whole lines
	p.report(&text, &ended, p.now())
	err = p.reportFailures(ctx, &text, b, &ended)
	p.reportDeadline(&text, &ended, "")
	p.notef("%s", strings.TrimRight(text.String(), "\n"))
	if err != nil {
		return err
	}
	return failed(&ended)
}

// noteBlockers prints notes, before the wait for a transfer, about causes for which it
// cannot continue without a person.
func (p *program) noteBlockers(ctx context.Context, b system, t *tasks.Transfer) {
	if why := unserved(ctx, b, t); why != "" {
		p.notef("%s Waiting.", why)
	}
	if paused(t) && t.Stopped == "" {
		p.notef("The transfer is paused. Resume it with 'baler resume %s'. Waiting.", number(t))
	}
}

// noteUnserved notes, for a caller that does not wait, that no live worker takes batches from
// the queue of a transfer.
func (p *program) noteUnserved(ctx context.Context, b system, t *tasks.Transfer) {
	if why := unserved(ctx, b, t); why != "" && !t.State.Ended() {
		p.notef("note: %s", strings.ToLower(why[:1])+why[1:])
	}
}

// unserved says that no live worker takes batches from the queue of a transfer, and what to
// do; it is empty when one does.
func unserved(ctx context.Context, b system, t *tasks.Transfer) string {
	workers, err := b.Workers(ctx)
	served := servedQueues(workers)
	switch {
	case err != nil: // only a note: what the command does next reports the error
		return ""
	case len(served) == 0:
		return "No worker is running: start one with 'baler worker" + queueFlag(t.Queue) + "'."
	case !slices.Contains(served, t.Queue):
		return fmt.Sprintf("No worker serves queue %s; served: %s. Start one with 'baler worker%s', or cancel the transfer.",
			printable(t.Queue), printable(strings.Join(served, ", ")), queueFlag(t.Queue))
	}
	return ""
}

// queueFlag is the flag with which a worker serves a queue; the default one needs none.
func queueFlag(queue string) string {
	if queue == tasks.DefaultQueue {
		return ""
	}
	return " --queues " + printable(queue) + "=1"
}

// servedQueues lists the queues that a worker serves, sorted.
func servedQueues(workers []tasks.Worker) []string {
	var all []string
	for i := range workers {
		all = append(all, workers[i].Queues...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// notWaiting returns why waiting for a transfer ended early; it reports an interrupt itself.
func (p *program) notWaiting(ctx context.Context, id string, err error) error {
	if isInterrupt(ctx, err) {
		p.notef("No longer waiting. Follow the transfer with 'baler status --watch %s'.", id)
		return codeError(exitInterrupted)
	}
	return err
}
