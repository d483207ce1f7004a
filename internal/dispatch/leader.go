package dispatch

import (
	"context"
	"fmt"
	"time"
)

// dispatcherLease is what dispatchers stand for election for.
const dispatcherLease = "dispatcher"

// campaign takes or renews the lease when it is time to.
func (d *Dispatcher) campaign(ctx context.Context) error {
	now := d.opts.Now()
	if now.Before(d.renewAt) {
		return nil
	}
	held, err := d.store.AcquireLease(ctx, dispatcherLease, d.opts.LeaseHolder, d.opts.LeaseTTL)
	if err != nil {
		d.acting = false
		return fmt.Errorf("stand for election: %w", err)
	}
	d.renewAt = now.Add(d.opts.LeaseTTL / 3)
	if held && !d.acting && d.opts.OnElected != nil {
		if err := d.opts.OnElected(ctx); err != nil {
			d.renewAt = time.Time{}
			return fmt.Errorf("begin to act: %w", err)
		}
	}
	d.acting = held
	return nil
}

// resign lets another dispatcher act at once instead of when the lease ends.
func (d *Dispatcher) resign(ctx context.Context) {
	if !d.acting {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := d.store.ReleaseLease(ctx, dispatcherLease, d.opts.LeaseHolder); err != nil {
		d.opts.Log.WarnContext(ctx, "dispatcher: the lease stays until it ends", "error", err)
	}
}
