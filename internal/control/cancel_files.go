package control

import (
	"context"
	"errors"

	"github.com/balerhq/baler/tasks"
)

// ErrNothingSelected is the error of CancelFiles for a filter that selects all files: Cancel
// is for these.
var ErrNothingSelected = errors.New("select the files to be canceled, or cancel the transfer")

// CancelFiles cancels the selected files of a transfer that have not ended, and returns how
// many were not canceled before.
func (c *Controller) CancelFiles(ctx context.Context, t tasks.Transfer, filter tasks.ResultSelector) (files int64, err error) {
	if filter.Empty() {
		return 0, ErrNothingSelected
	}
	return c.store.CancelFiles(ctx, t.ID, filter)
}
