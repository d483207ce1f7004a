package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// GroupStore reads the transfers and files of the ledger for a GroupPlanner.
type GroupStore interface {
	// TransferByID reads a transfer.
	TransferByID(ctx context.Context, id int64) (tasks.Transfer, error)
	// Files reads files by their numbers, in ascending order.
	Files(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error)
	// RecordedFiles returns those of the files that have a result at a step.
	RecordedFiles(ctx context.Context, transfer int64, step int, files tasks.Ranges) (tasks.Ranges, error)
}

// GroupPlanner makes batches of files that came as messages. A message only names a file,
// and anyone who can write to Redis can send one. So the ledger decides whether the file
// may start at that step now.
type GroupPlanner struct {
	Store     GroupStore
	Transfers *TransferCache
	Workers   Workers // they share the files that were collected together
}

// PlanFiles implements batcher.TransferPlanner. It also refuses files of a transfer
// whose recipe cannot be read, because a set has files of many transfers and the others
// must not wait. The sweep finds the refused files once the recipe can be read.
func (g GroupPlanner) PlanFiles(ctx context.Context, transfer int64, step int, numbers []int64) (
	batches []tasks.Batch, refused map[int64]string, err error,
) {
	plan, err := g.Transfers.Get(ctx, transfer)
	switch {
	case errors.Is(err, tasks.ErrTransferNotFound), errors.Is(err, ErrBadRecipe):
		return nil, refuse(numbers, err.Error()), nil
	case err != nil:
		return nil, nil, err
	case !plan.HasStep(step):
		return nil, refuse(numbers, fmt.Sprintf("transfer %s has no step %d", plan.UUID, step)), nil
	case plan.Via != tasks.ViaGroup:
		return nil, refuse(numbers, fmt.Sprintf("transfer %s is not submitted by group: only the dispatcher starts its files", plan.UUID)), nil
	}
	startable, refused, err := g.startable(ctx, plan, step, tasks.NewRanges(numbers))
	if errors.Is(err, db.ErrMisread) { // the sweep reads it too, and stops the transfer
		return nil, refuse(numbers, err.Error()), nil
	}
	if err != nil {
		return nil, nil, err
	}
	capacity, err := g.Workers.capacity(ctx, plan, step)
	if err != nil {
		return nil, nil, err
	}
	return planShared(plan, step, startable, capacity.policy(step), capacity.slots), refused, nil
}

// startable returns the files that may start at a step. It leaves out without a reason
// those whose message came twice or late: files with a result at the step, files that
// the sweep has passed, and files of a canceled transfer.
func (g GroupPlanner) startable(ctx context.Context, plan *TransferPlan, step int, numbers tasks.Ranges) (
	files []tasks.File, refused map[int64]string, err error,
) {
	t, err := g.Store.TransferByID(ctx, plan.ID)
	if err != nil {
		return nil, nil, err
	}
	registered, err := g.Store.Files(ctx, plan.ID, numbers)
	if err != nil {
		return nil, nil, err
	}
	recorded, err := g.Store.RecordedFiles(ctx, plan.ID, step, numbers)
	if err != nil {
		return nil, nil, err
	}
	refused = make(map[int64]string)
	for no := range numbers.All() {
		if len(registered) == 0 || registered[0].No != no { // both ascend
			refused[no] = fmt.Sprintf("transfer %s has no file %d", plan.UUID, no)
			continue
		}
		f := registered[0]
		registered = registered[1:]
		if first := plan.First(&f); first != step {
			refused[no] = fmt.Sprintf("file %d of transfer %s does not start at step %d", no, plan.UUID, step)
			continue
		}
		if t.State.Ended() || no <= t.Cursor || recorded.Contains(no) {
			continue
		}
		files = append(files, f)
	}
	return files, refused, nil
}

func refuse(numbers []int64, reason string) map[int64]string {
	refused := make(map[int64]string, len(numbers))
	for _, no := range numbers {
		refused[no] = reason
	}
	return refused
}
