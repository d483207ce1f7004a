package baler

import (
	"context"
	"errors"

	"github.com/balerhq/baler/tasks"
)

// ErrNothingSelected is the error of CancelFiles for a filter that selects all files: Cancel
// is for these.
var ErrNothingSelected = errors.New("select the files to be canceled, or cancel the transfer")

// CancelFiles cancels the selected files of a transfer that have not ended; the others go on.
// It returns how many were not canceled before. A file that waits ends as canceled at the
// step for which it waits, as soon as a worker has its batch. One that runs ends this step
// first, and keeps its result if that was its last step. A filter with an outcome, a code or a
// message selects files by their results, and by their last attempt while they wait for
// another; with a step alone, it selects the files that are at this step. Retry runs canceled
// files again. A call that failed half way may be repeated.
func (b *Baler) CancelFiles(ctx context.Context, t tasks.Transfer, f ResultFilter) (files int64, err error) {
	filter, err := f.of(t)
	if err != nil {
		return 0, err
	}
	return b.cancelSelected(ctx, t, filter)
}

func (b *Baler) cancelSelected(ctx context.Context, t tasks.Transfer, filter tasks.ResultSelector) (files int64, err error) {
	if filter.Empty() {
		return 0, ErrNothingSelected
	}
	return b.store.CancelFiles(ctx, t.ID, filter)
}
