package dispatch

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// BacklogStore is where the dispatcher finds files to cut.
type BacklogStore interface {
	// Backlogs lists transfers with files behind their cursor, by number, those
	// above after.
	Backlogs(ctx context.Context, after int64, limit int) ([]ledger.Backlog, error)
	// FilesAfter reads files behind a number, ascending; only their numbers and
	// sizes when sizes is set.
	FilesAfter(ctx context.Context, transfer, after int64, limit int, sizes bool) ([]tasks.File, error)
	// SumSizes adds up the sizes of the files in each span, as far as none is missing:
	// a span that lacks a file ends the list.
	SumSizes(ctx context.Context, transfer int64, spans []tasks.Range) (bytes []int64, err error)
	// CommitDispatch commits a cut, or gives ErrCursorMoved. Completed says that the transfer's
	// last file ended by it.
	CommitDispatch(ctx context.Context, c ledger.Dispatch) (completed bool, err error)
}

// OutboxStore is where the dispatcher finds batches to send, or to send again.
type OutboxStore interface {
	// DueBatches lists batches that somebody should look after now.
	DueBatches(ctx context.Context, limit int) ([]tasks.Batch, error)
	// Reschedule says when to look again; with sent, that they are about to be sent.
	Reschedule(ctx context.Context, ids []int64, by time.Duration, sent bool) error
	// ReclaimBatches defers batches whose worker has died, and counts that.
	ReclaimBatches(ctx context.Context, ids []int64, by time.Duration) error
}

// SweepStore is where the dispatcher finds files that nothing stands for.
type SweepStore interface {
	// SetSweepMark notes how many files a transfer has now.
	SetSweepMark(ctx context.Context, transfer, files int64) error
	// OpenBatches lists a transfer's batches in the ledger.
	OpenBatches(ctx context.Context, transfer int64) ([]tasks.Batch, error)
	// MarkInterrupted marks open transfers whose producer has died.
	MarkInterrupted(ctx context.Context) (int64, error)
	// RecordedFiles tells which of the files have a result at a step.
	RecordedFiles(ctx context.Context, transfer int64, step int, files tasks.Ranges) (tasks.Ranges, error)
}

// LeaseStore lets one of many dispatchers act.
type LeaseStore interface {
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Store is all that the dispatcher needs of the store.
type Store interface {
	BacklogStore
	OutboxStore
	SweepStore
	LeaseStore
}

// Queue is what the dispatcher needs of the queue.
type Queue interface {
	// EnqueueBatches enqueues batches of the ledger; one that is there already is fine.
	EnqueueBatches(ctx context.Context, batches []tasks.Batch) error
	// MissingBatches returns those that the queue does not have.
	MissingBatches(ctx context.Context, batches []tasks.Batch) ([]tasks.Batch, error)
	// ReclaimOrphans takes back those whose worker has given no sign since before.
	ReclaimOrphans(ctx context.Context, batches []tasks.Batch, before time.Time) ([]tasks.Batch, error)
	// GroupBacklog counts file messages that wait to be collected.
	GroupBacklog(ctx context.Context, queue string, handlers []string) (int64, error)
	// RepairGroups finds groups that lost their name.
	RepairGroups(ctx context.Context, queue string, handlers []string) (int64, error)
}
