package main

import (
	"context"
	"errors"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// await waits for the end of a transfer and reports on standard error.
func (p *program) await(ctx context.Context, b *baler.Baler, t *tasks.Transfer) error {
	if workers, err := b.LiveWorkers(ctx); err == nil && len(workers) == 0 {
		p.sayf("No worker is running: start one with 'baler worker'. Waiting for it.")
	}
	if paused(t) {
		p.sayf("The transfer is paused: 'baler resume %s' lets it go on. Waiting for it.", t.UUID)
	}
	d := p.newDisplay(false, false)
	ended, err := b.Wait(ctx, t.UUID, func(t tasks.Transfer) { d.show(read(&t, time.Now())) })
	d.end()
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			p.sayf("Not waiting any longer. See 'baler status --watch %s'.", t.UUID)
			return codeError(exitInterrupted)
		}
		return err
	}
	if p.json {
		if err := p.summarize(&ended); err != nil {
			return err
		}
		return failed(&ended)
	}
	report(p.stderr, &ended, time.Now())
	if err := reportFailures(ctx, p.stderr, b, &ended); err != nil {
		return err
	}
	return failed(&ended)
}
