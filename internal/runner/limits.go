package runner

import (
	"context"
	"errors"
	"time"

	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// shortWait is how long it takes at most to look at the limits of a batch that they admit.
const shortWait = 5 * time.Millisecond

// admit waits a moment until the limits on a batch leave room for it.
func (r *Runner) admit(ctx context.Context, b *tasks.Batch, a assignment) (leave func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.stopping, func() { cancel(errStopping) })() //nolint:contextcheck // cancel is that of ctx
	keys := []string{tasks.LimitKey(tasks.ScopeAll, "")}
	if a.plan != nil && a.plan.HasStep(b.Step) {
		keys = admission.LimitKeys(a.plan, b.Step, a.registration.Limits)
	}
	began := time.Now()
	leave, err = r.limiter.Enter(ctx, admission.Entrant{Batch: b.ID, Keys: keys, Files: b.Items(), Promoted: func(ctx context.Context) bool {
		promoted, err := r.Queue.IsPromoted(ctx, b)
		return err == nil && promoted // the queue reports its outages
	}})
	full, throttled := errors.AsType[*admission.ThrottledError](err)
	if throttled {
		r.Metrics.Throttled(string(full.Reason))
	}
	if throttled || time.Since(began) > shortWait {
		r.Meter.Refused(b.Transfer, tasks.TimeLimits, began)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return leave, err
}

// SetLimits sets this worker's shares of the limits; without shares there are no
// limits. The caller asked for them some time ago. It reports whether shares are still moving
// between workers; the caller then asks again soon.
func (r *Runner) SetLimits(parts []ledger.LimitShare, ago time.Duration) (unsettled bool) {
	r.limiter.SetShares(parts, ago)
	r.Metrics.SetLimits(parts)
	return r.limiter.Unsettled()
}

// LimitsInUse is how many batches of each limit, by its key, the worker may run at
// most until SetLimits is called next.
func (r *Runner) LimitsInUse() map[string]int { return r.limiter.InUse() }

// RatesInUse is how many files a second of each limit, by its key, the worker may start until
// SetLimits is called next.
func (r *Runner) RatesInUse() map[string]float64 { return r.limiter.RatesInUse() }

// LimitsWanted lists the keys of the limits of which the worker needs a share, see tasks.Worker.
func (r *Runner) LimitsWanted() []string { return r.limiter.Wanted() }

// WantsLimits has a value when the worker needs a share of a limit that LimitsWanted has not
// listed.
func (r *Runner) WantsLimits() <-chan struct{} { return r.limiter.Wanting() }

// Throttled lists what has kept batches out within a time, see tasks.Worker.
func (r *Runner) Throttled(within time.Duration) []string { return r.limiter.Throttled(within) }

// Blocked reports whether the limits leave this worker no batch at all.
func (r *Runner) Blocked() bool { return r.limiter.Blocked() }
