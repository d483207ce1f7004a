package simulation

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// rest is the part of the ledger and the queue that a single sealed transfer of one step by
// bulk does not need: there is never anything in it.
type rest struct{}

// RegisterEmitted implements dispatch.Store.
func (rest) RegisterEmitted(context.Context, ledger.EmittedPage) ([]tasks.Batch, bool, error) {
	return nil, false, nil
}

// AddDeadLetter implements dispatch.Store.
func (rest) AddDeadLetter(context.Context, string, []byte, string) error { return nil }

// Suspend implements dispatch.Store.
func (rest) Suspend(context.Context, int64, string) error { return nil }

// Gatherings implements dispatch.Store.
func (rest) Gatherings(context.Context, int) ([]ledger.Gathering, error) { return nil, nil }

// GatheringBatches implements dispatch.Store.
func (rest) GatheringBatches(context.Context, ledger.Gathering, int) ([]tasks.Batch, error) {
	return nil, nil
}

// Sizes implements dispatch.Store.
func (rest) Sizes(context.Context, int64, tasks.Ranges) ([]tasks.File, error) { return nil, nil }

// CommitGathered implements dispatch.Store.
func (rest) CommitGathered(context.Context, ledger.Gathered) error { return nil }

// FirstOfTransfers implements dispatch.Store.
func (rest) FirstOfTransfers(context.Context, []tasks.Batch) (map[int64]bool, error) {
	return map[int64]bool{}, nil
}

// SetSweepMark implements dispatch.Store.
func (rest) SetSweepMark(context.Context, int64, int64) error { return nil }

// OpenBatches implements dispatch.Store.
func (rest) OpenBatches(context.Context, int64) ([]tasks.Batch, error) { return nil, nil }

// CancelOverdue implements dispatch.Store.
func (rest) CancelOverdue(context.Context) (int, error) { return 0, nil }

// MarkInterrupted implements dispatch.Store.
func (rest) MarkInterrupted(context.Context) (int64, error) { return 0, nil }

// RecordedFiles implements dispatch.Store.
func (rest) RecordedFiles(context.Context, int64, int, tasks.Ranges) (tasks.Ranges, error) {
	return tasks.Ranges{}, nil
}

// ReleaseLease implements dispatch.Store.
func (rest) ReleaseLease(context.Context, string, string) error { return nil }

// NoteClockSet implements dispatch.Store.
func (rest) NoteClockSet(context.Context, time.Duration, time.Time, time.Time) error { return nil }

// PausedQueues implements dispatch.Store.
func (rest) PausedQueues(context.Context) ([]string, error) { return nil, nil }

// FirstQueued implements dispatch.BatchQueue.
func (rest) FirstQueued(_ context.Context, _ string, _ int64, files []queue.FileTask) (int, error) {
	return len(files), nil
}

// IsPromoted implements dispatch.BatchQueue.
func (rest) IsPromoted(context.Context, *tasks.Batch) (bool, error) { return false, nil }

// Promote implements dispatch.BatchQueue.
func (rest) Promote(context.Context, *tasks.Batch) error { return nil }

// RepairGroups implements dispatch.BatchQueue.
func (rest) RepairGroups(context.Context, string, []string) (int64, error) { return 0, nil }

// PauseQueues implements dispatch.BatchQueue.
func (rest) PauseQueues(context.Context, []string) ([]string, error) { return nil, nil }

// ResumeQueue implements dispatch.BatchQueue.
func (rest) ResumeQueue(context.Context, string) error { return nil }

// TakeOversized implements dispatch.BatchQueue.
func (rest) TakeOversized(context.Context, string) ([][]byte, error) { return nil, nil }
