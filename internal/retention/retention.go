// Package retention deletes transfers that ended long ago, and finishes deletions that
// were interrupted. It works in small transactions while everything else runs.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// Store is where transfers are deleted.
type Store interface {
	// Prunable lists transfers that may be deleted, those numbered above after.
	Prunable(ctx context.Context, p store.Prune, after int64) ([]tasks.Transfer, error)
	// DeleteTransfer deletes a transfer, which no query finds from then on.
	DeleteTransfer(ctx context.Context, id int64, d store.Deletion) error
	// PurgeDeleted deletes what remains of deleted transfers.
	PurgeDeleted(ctx context.Context) error
	// DeleteStrayBatches deletes batches of deleted transfers.
	DeleteStrayBatches(ctx context.Context) (int64, error)
	// AcquireLease takes or renews a lease, and reports whether the holder has it.
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
}

// Prune deletes the transfers that p chooses, and calls deleted for each. It returns when
// nothing of them remains. Files that a run has seen stay seen, unless their transfer was
// canceled, so that the next run does not process them once more.
func Prune(ctx context.Context, s Store, p store.Prune, deleted func(tasks.Transfer)) error {
	var after int64
	for {
		page, err := s.Prunable(ctx, p, after)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		for i := range page {
			after = page[i].ID
			err := s.DeleteTransfer(ctx, after, store.Deletion{})
			if Gone(err) {
				continue // meanwhile it was retried, or deleted by another
			}
			if err != nil {
				return err
			}
			deleted(page[i])
			if err := s.PurgeDeleted(ctx); err != nil {
				return err
			}
		}
	}
}

// Gone reports whether a transfer was not deleted because it is not there any more, or
// not ended any more.
func Gone(err error) bool {
	return errors.Is(err, tasks.ErrTransferNotFound) || errors.Is(err, store.ErrNotEnded) || errors.Is(err, store.ErrStillRunning)
}

// Options tunes a Loop.
type Options struct {
	OlderThan time.Duration // ago that a transfer must have ended to be deleted; 0 deletes none
	KeepLast  int           // the newest transfers, however old they are
	FailedToo bool          // also transfers with failures

	Holder string // name of this process, unique
	Log    *slog.Logger
	Now    func() time.Time
}

// interval is the time between two passes, of which one process at a time makes each.
const interval = 10 * time.Minute

// Loop prunes from time to time.
type Loop struct {
	store Store
	opts  Options
	watch *outage.Watch
}

// New makes a loop; Run starts it.
func New(s Store, o Options) *Loop {
	return &Loop{store: s, opts: o, watch: outage.New(o.Log, outage.Database, "delete old transfers")}
}

// Run prunes until ctx ends, and returns the error of ctx.
func (l *Loop) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		next := interval
		if l.watch.Done(ctx, l.Pass(ctx)) != nil {
			next = time.Minute
		}
		timer.Reset(next)
	}
}

// Pass finishes interrupted deletions and prunes, unless another process does.
func (l *Loop) Pass(ctx context.Context) error {
	held, err := l.store.AcquireLease(ctx, "retention", l.opts.Holder, interval)
	if err != nil || !held {
		return err
	}
	if err := l.store.PurgeDeleted(ctx); err != nil {
		return fmt.Errorf("finish deletions: %w", err)
	}
	if _, err := l.store.DeleteStrayBatches(ctx); err != nil {
		return err
	}
	if l.opts.OlderThan <= 0 {
		return nil
	}
	p := store.Prune{Before: l.opts.Now().Add(-l.opts.OlderThan), KeepLast: l.opts.KeepLast, FailedToo: l.opts.FailedToo}
	return Prune(ctx, l.store, p, func(t tasks.Transfer) {
		l.opts.Log.InfoContext(ctx, "retention: transfer deleted", "transfer", t.UUID, "ended", t.EndedAt, "files", t.Files)
	})
}
