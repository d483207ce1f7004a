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

// Store lists and deletes transfers.
type Store interface {
	// Prunable lists transfers numbered above after that may be deleted.
	Prunable(ctx context.Context, p store.Prune, after int64) ([]tasks.Transfer, error)
	// DeleteTransfer marks a transfer as deleted: no query finds it any more.
	DeleteTransfer(ctx context.Context, id int64, d store.Deletion) error
	// PurgeDeleted deletes what remains of deleted transfers.
	PurgeDeleted(ctx context.Context) error
	// DeleteStrayBatches deletes batches of deleted transfers.
	DeleteStrayBatches(ctx context.Context) (int64, error)
	// PruneAudit deletes lines of the audit log from before a time.
	PruneAudit(ctx context.Context, before time.Time) (int64, error)
	// AcquireLease takes or renews a lease, and reports whether the holder has it.
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
}

// Prune deletes the transfers that p selects, and calls deleted for each. It returns when
// all their rows are deleted. It keeps the list of files that runs have processed, except
// for files of canceled transfers, so that the next run does not process them again.
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
				continue // it was retried or deleted meanwhile
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

// Gone reports whether a transfer was not deleted because it no longer exists, or runs
// again.
func Gone(err error) bool {
	return errors.Is(err, tasks.ErrTransferNotFound) || errors.Is(err, store.ErrNotEnded) || errors.Is(err, store.ErrStillRunning)
}

// Options configure a Pruner.
type Options struct {
	OlderThan time.Duration // since a transfer ended, before it is deleted; 0 deletes none
	KeepLast  int           // keep so many of the newest transfers, however old they are
	FailedToo bool          // also delete transfers with failures
	Journaled bool          // delete only transfers that the journal has

	AuditKeep time.Duration // how long lines of the audit log are kept; 0: for ever

	LeaseHolder string // name of this process, unique
	Log         *slog.Logger
	Now         func() time.Time
}

// interval is the time between two passes. One process at a time makes a pass.
const interval = 10 * time.Minute

// Pruner prunes at regular intervals.
type Pruner struct {
	store Store
	opts  Options
	watch *outage.Watch
}

// New makes a Pruner; Run starts it.
func New(s Store, o Options) *Pruner {
	return &Pruner{store: s, opts: o, watch: outage.New(o.Log, outage.Database, "delete old transfers")}
}

// Run prunes until ctx ends, and returns the error of ctx.
func (l *Pruner) Run(ctx context.Context) error {
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
func (l *Pruner) Pass(ctx context.Context) error {
	held, err := l.store.AcquireLease(ctx, store.RetentionLease, l.opts.LeaseHolder, interval)
	if err != nil || !held {
		return err
	}
	if err := l.store.PurgeDeleted(ctx); err != nil {
		return fmt.Errorf("finish deletions: %w", err)
	}
	if _, err := l.store.DeleteStrayBatches(ctx); err != nil {
		return err
	}
	if l.opts.AuditKeep > 0 {
		if _, err := l.store.PruneAudit(ctx, l.opts.Now().Add(-l.opts.AuditKeep)); err != nil {
			return err
		}
	}
	if l.opts.OlderThan <= 0 {
		return nil
	}
	p := store.Prune{
		Before: l.opts.Now().Add(-l.opts.OlderThan), KeepLast: l.opts.KeepLast,
		FailedToo: l.opts.FailedToo, Journaled: l.opts.Journaled,
	}
	return Prune(ctx, l.store, p, func(t tasks.Transfer) {
		l.opts.Log.InfoContext(ctx, "retention: transfer deleted", "transfer", t.UUID, "ended", t.EndedAt, "files", t.Files)
	})
}
