package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// waitAndReport waits for the end of a transfer and reports on standard error.
func (p *program) waitAndReport(ctx context.Context, b *baler.Baler, t *tasks.Transfer) error {
	p.noteBlockers(ctx, b, t)
	d := p.newDisplay(false, false)
	ended, err := b.Wait(ctx, t.UUID, func(t tasks.Transfer) { d.show(read(&t, time.Now())) })
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
	report(&text, &ended, time.Now())
	err = reportFailures(ctx, &text, b, &ended)
	p.notef("%s", strings.TrimRight(text.String(), "\n"))
	if err != nil {
		return err
	}
	return failed(&ended)
}

// noteBlockers says of a transfer that is about to be waited for when somebody
// has to do something first.
func (p *program) noteBlockers(ctx context.Context, b *baler.Baler, t *tasks.Transfer) {
	if workers, err := b.Workers(ctx); err == nil && len(workers) == 0 {
		p.notef("No worker is running: start one with 'baler worker'. Waiting.")
	}
	if paused(t) {
		p.notef("The transfer is paused. Resume it with 'baler resume %s'. Waiting.", number(t))
	}
}

// notWaiting is why waiting for a transfer ended early; an interrupt is said here.
func (p *program) notWaiting(ctx context.Context, id string, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		p.notef("No longer waiting. Follow the transfer with 'baler status --watch %s'.", id)
		return codeError(exitInterrupted)
	}
	return err
}
