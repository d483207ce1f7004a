package batcher

import (
	"context"
	"errors"
	"time"

	"github.com/balerhq/baler/tasks"
)

// ErrMoved says that a transfer's cursor was not where the caller believed.
// Nothing was written.
var ErrMoved = errors.New("cursor has moved")

// Backlog is a transfer with files behind its cursor.
type Backlog struct {
	Transfer int64
	Via      tasks.Via
	Sealed   bool  // no more files will come
	Files    int64 // registered
	Cursor   int64 // number of the last file dealt with
	Bytes    int64 // of the files behind the cursor
	Open     int   // batches in the ledger

	// MarkFiles and MarkedAt are a group transfer's mark: how many files it had
	// when the mark was set. Zero before the first.
	MarkFiles int64
	MarkedAt  time.Time
}

// Cut moves a transfer's cursor from From to To and writes the batches that
// stand for the files between.
type Cut struct {
	Transfer int64
	From, To int64
	Bytes    int64         // of the files between
	Batches  []tasks.Batch // their IDs are filled in when the cut is committed

	// Finished counts files between that no step selects: they end here.
	Finished int64

	// Uncounted says that the files were counted as routed before: the sweep of
	// a group transfer only replaces what was lost.
	Uncounted bool
}

// Cutter is where the dispatcher finds files to cut.
type Cutter interface {
	// Backlogs lists transfers with files behind their cursor, by number, those
	// above after.
	Backlogs(ctx context.Context, after int64, limit int) ([]Backlog, error)
	// FilesAfter reads files behind a number, ascending; only their numbers and
	// sizes when sizes is set.
	FilesAfter(ctx context.Context, transfer, after int64, limit int, sizes bool) ([]tasks.File, error)
	// Weigh adds up the sizes of the files in each span, as far as none is missing:
	// a span that lacks a file ends the list.
	Weigh(ctx context.Context, transfer int64, spans []tasks.Range) (bytes []int64, err error)
	// Cut commits a cut, or gives ErrMoved. Completed says that the transfer's
	// last file ended by it.
	Cut(ctx context.Context, c Cut) (completed bool, err error)
}

// Outbox is where the dispatcher finds batches to send, or to send again.
type Outbox interface {
	// Due lists batches that somebody should look after now.
	Due(ctx context.Context, limit int) ([]tasks.Batch, error)
	// Defer says when to look again; with sent, that they are about to be sent.
	Defer(ctx context.Context, ids []int64, by time.Duration, sent bool) error
	// TakeBack defers batches whose worker has died, and counts that.
	TakeBack(ctx context.Context, ids []int64, by time.Duration) error
}

// Sweeper is where the dispatcher finds files that nothing stands for.
type Sweeper interface {
	// Mark notes how many files a transfer has now.
	Mark(ctx context.Context, transfer, files int64) error
	// OpenBatches lists a transfer's batches in the ledger.
	OpenBatches(ctx context.Context, transfer int64) ([]tasks.Batch, error)
	// Interrupt marks open transfers whose producer has died.
	Interrupt(ctx context.Context) (int64, error)
	// RecordedFiles tells which of the files have a result at a step.
	RecordedFiles(ctx context.Context, transfer int64, step int, files tasks.Ranges) (tasks.Ranges, error)
}

// Election lets one of many dispatchers act.
type Election interface {
	Acquire(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	Release(ctx context.Context, name, holder string) error
}

// Ledger is all that the dispatcher needs of the store.
type Ledger interface {
	Cutter
	Outbox
	Sweeper
	Election
}

// Queue is what the dispatcher needs of the queue.
type Queue interface {
	// Batches enqueues batches of the ledger; one that is there already is fine.
	Batches(ctx context.Context, batches []tasks.Batch) error
	// Unknown returns those that the queue does not have.
	Unknown(ctx context.Context, batches []tasks.Batch) ([]tasks.Batch, error)
	// Orphans takes back those whose worker has given no sign since before.
	Orphans(ctx context.Context, batches []tasks.Batch, before time.Time) ([]tasks.Batch, error)
	// Waiting counts file messages that wait to be collected.
	Waiting(ctx context.Context, queue string, handlers []string) (int64, error)
	// HealGroups finds groups that lost their name.
	HealGroups(ctx context.Context, queue string, handlers []string) (int64, error)
}
