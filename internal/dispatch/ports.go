package dispatch

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// BacklogStore is where the dispatcher finds files to dispatch.
type BacklogStore interface {
	// Backlogs lists the transfers numbered above after that have files after their
	// cursor, in ascending order.
	Backlogs(ctx context.Context, after int64, limit int) ([]ledger.Backlog, error)
	// FilesAfter reads files after a number, in ascending order; only their numbers and
	// sizes when sizes is set.
	FilesAfter(ctx context.Context, transfer, after int64, limit int, sizes bool) ([]tasks.File, error)
	// SumSizes adds up the sizes of the files in each range, up to the first range that
	// lacks a file.
	SumSizes(ctx context.Context, transfer int64, ranges []tasks.Range) (bytes []int64, err error)
	// CommitDispatch commits a dispatch, or returns ErrCursorMoved. completed reports
	// whether the transfer's last file ended by it.
	CommitDispatch(ctx context.Context, c ledger.Dispatch) (completed bool, err error)
	// RegisterEmitted registers files that handlers have emitted, and returns the batches in
	// which they start.
	RegisterEmitted(ctx context.Context, p ledger.EmittedPage) (started []tasks.Batch, completed bool, err error)
	// AddDeadLetter keeps a message that is not used.
	AddDeadLetter(ctx context.Context, kind string, payload []byte, reason string) error
	// Suspend pauses a transfer with invalid rows.
	Suspend(ctx context.Context, transfer int64, reason string) error
}

// GatherStore is where the dispatcher finds batches to gather into fuller ones.
type GatherStore interface {
	// Gatherings lists the groups of batches that wait to be gathered and may run now.
	Gatherings(ctx context.Context, limit int) ([]ledger.Gathering, error)
	// GatheringBatches lists the batches of a gathering that may run now.
	GatheringBatches(ctx context.Context, g ledger.Gathering, limit int) ([]tasks.Batch, error)
	// Sizes reads the numbers and sizes of files, in ascending order.
	Sizes(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error)
	// CommitGathered replaces gathering batches, or returns ErrCursorMoved when one of
	// them is gone.
	CommitGathered(ctx context.Context, g ledger.Gathered) error
	// FirstOfTransfers returns the IDs of those batches whose transfers have no older one
	// that is sent and not complete.
	FirstOfTransfers(ctx context.Context, batches []tasks.Batch) (map[int64]bool, error)
}

// OutboxStore is where the dispatcher finds batches to send, or to send again.
type OutboxStore interface {
	// DueBatches lists batches that are due.
	DueBatches(ctx context.Context, limit int) ([]tasks.Batch, error)
	// Reschedule makes batches due again after a duration; with sent, it also records
	// that they are about to be sent.
	Reschedule(ctx context.Context, ids []int64, by time.Duration, sent bool) error
	// BatchesByID reads those of the batches that the ledger still has, and that no worker
	// has claimed to hold for the time of silence.
	BatchesByID(ctx context.Context, ids []int64, silence time.Duration) ([]tasks.Batch, error)
	// ReclaimBatches makes batches whose worker has died due again after a duration,
	// and counts the crash.
	ReclaimBatches(ctx context.Context, ids []int64, by time.Duration) error
}

// SweepStore is where the dispatcher finds files that have neither a batch nor a result.
type SweepStore interface {
	// SetSweepMark records how many files a transfer has now.
	SetSweepMark(ctx context.Context, transfer, files int64) error
	// OpenBatches lists a transfer's batches in the ledger.
	OpenBatches(ctx context.Context, transfer int64) ([]tasks.Batch, error)
	// MarkInterrupted marks open transfers whose producer has died.
	MarkInterrupted(ctx context.Context) (int64, error)
	// CancelOverdue cancels the transfers whose deadline has passed, and counts them.
	CancelOverdue(ctx context.Context) (int, error)
	// RecordedFiles returns those of the files that have a result at a step.
	RecordedFiles(ctx context.Context, transfer int64, step int, files tasks.Ranges) (tasks.Ranges, error)
}

// LeaseStore has the lease that lets one of many dispatchers act.
type LeaseStore interface {
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Store is all that the dispatcher needs of the store.
type Store interface {
	BacklogStore
	GatherStore
	OutboxStore
	SweepStore
	LeaseStore
	ClockStore

	// PausedQueues lists the queues that a person has paused.
	PausedQueues(ctx context.Context) ([]string, error)
}

// ClockStore corrects durations.
type ClockStore interface {
	// NoteClockSet corrects the durations of the transfers that ran when the clock was set,
	// between two times of the clock as it was before.
	NoteClockSet(ctx context.Context, by time.Duration, since, until time.Time) error
}

// BatchQueue is what the dispatcher needs of the queue.
type BatchQueue interface { //nolint:interfacebloat // one user, one implementation: the port of a package
	queue.Promoter
	// MissingBatches returns those that the queue does not have.
	MissingBatches(ctx context.Context, batches []tasks.Batch) ([]tasks.Batch, error)
	// ReclaimOrphans removes from the queue, and returns, the batches whose worker's lease
	// ended some time ago.
	ReclaimOrphans(ctx context.Context, batches []tasks.Batch, ago time.Duration) ([]tasks.Batch, error)
	// Unheld lists the batches that a worker has received and that no live worker holds.
	Unheld(ctx context.Context) ([]int64, error)
	// Reclaim removes from the queue, and returns, those batches that a worker has
	// received.
	Reclaim(ctx context.Context, batches []tasks.Batch) ([]tasks.Batch, error)
	// FirstQueued returns the index of the first file whose message the queue has, or
	// their number.
	FirstQueued(ctx context.Context, queue string, transfer int64, files []queue.FileTask) (int, error)
	// IsPromoted reports whether a batch was promoted.
	IsPromoted(ctx context.Context, b *tasks.Batch) (bool, error)
	// RepairGroups restores groups that are missing in the list of groups, and counts
	// them.
	RepairGroups(ctx context.Context, queue string, handlers []string) (int64, error)
	// PauseQueues pauses queues, and returns those that were not paused.
	PauseQueues(ctx context.Context, names []string) (changed []string, err error)
	// ResumeQueue ends the pause of a queue.
	ResumeQueue(ctx context.Context, queue string) error
	// TakeOversized removes messages from the queue that are too large to be read, and
	// returns their beginnings.
	TakeOversized(ctx context.Context, queue string) ([][]byte, error)
}
