package cli

import (
	"bytes"
	"context"
	"errors"
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
	ended, err := b.Wait(ctx, t.UUID, func(t tasks.Transfer) {
		why.add(ctx, &t)
		d.show(read(&t, time.Now()))
	})
	d.end()
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
	p.report(&text, &ended, time.Now())
	err = p.reportFailures(ctx, &text, b, &ended)
	p.notef("%s", strings.TrimRight(text.String(), "\n"))
	if err != nil {
		return err
	}
	return failed(&ended)
}

// noteBlockers prints notes, before the wait for a transfer, about causes for which it
// cannot continue without a person.
func (p *program) noteBlockers(ctx context.Context, b system, t *tasks.Transfer) {
	workers, err := b.Workers(ctx)
	served := servedQueues(workers)
	switch {
	case err != nil: // waiting returns the same error
	case len(workers) == 0:
		p.notef("No worker is running: start one with 'baler worker'. Waiting.")
	case !slices.Contains(served, t.Queue):
		p.notef("No worker serves queue %s; served: %s. Start one with 'baler worker --queues %s=1', or cancel the transfer. Waiting.",
			printable(t.Queue), printable(strings.Join(served, ", ")), printable(t.Queue))
	}
	if paused(t) {
		p.notef("The transfer is paused. Resume it with 'baler resume %s'. Waiting.", number(t))
	}
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
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		p.notef("No longer waiting. Follow the transfer with 'baler status --watch %s'.", id)
		return codeError(exitInterrupted)
	}
	return err
}
