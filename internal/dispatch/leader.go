package dispatch

import (
	"context"
	"fmt"
	"time"
)

// dispatcherLease is the name of the lease that makes a dispatcher the leader.
const dispatcherLease = "dispatcher"

// campaign acquires or renews the lease when that is due.
func (d *Dispatcher) campaign(ctx context.Context) error {
	now := d.opts.Now()
	if now.Before(d.renewAt) {
		return nil
	}
	held, err := d.store.AcquireLease(ctx, dispatcherLease, d.opts.LeaseHolder, d.opts.LeaseTTL)
	if err != nil {
		d.acting = false
		return fmt.Errorf("acquire the dispatcher's lease: %w", err)
	}
	d.renewAt = now.Add(d.opts.LeaseTTL / 3)
	if held && !d.acting && d.opts.OnElected != nil {
		if err := d.opts.OnElected(ctx); err != nil {
			d.renewAt = time.Time{}
			return fmt.Errorf("start to lead: %w", err)
		}
	}
	d.acting = held
	return nil
}

// resign releases the lease, so that another dispatcher need not wait for its end.
func (d *Dispatcher) resign(ctx context.Context) {
	if !d.acting {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := d.store.ReleaseLease(ctx, dispatcherLease, d.opts.LeaseHolder); err != nil {
		d.opts.Log.WarnContext(ctx, "dispatcher: the lease is not released, it expires by itself", "error", err)
	}
}
