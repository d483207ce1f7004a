package runner

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// maxSplit is the largest batch, in files, that is split into single files at once.
const maxSplit = 32

// split replaces a batch that a worker crashed with by batches of one file each, or
// of about the square root of its files: in a batch of up to a thousand, a file that
// crashes workers is alone after at most one more crash.
func (r *Runner) split(ctx context.Context, b *tasks.Batch, e *dispatch.TransferPlan) error {
	files, err := r.Store.Files(ctx, b.Transfer, b.Files)
	if err != nil {
		return fmt.Errorf("batch %d: %w", b.ID, err)
	}
	policy := e.Policy(b.Step)
	policy.MaxItems, policy.Target = 1, 0
	if b.Items() > maxSplit {
		policy.MaxItems = int(math.Sqrt(float64(b.Items())))
	}
	parts := dispatch.PlanBatches(e, b.Step, files, policy)
	for i := range parts {
		parts[i].Attempt = b.Attempt
		parts[i].FencingToken = 1 // some of it may have run
	}
	inheritCrashes(b, parts)
	err = r.Store.SplitBatch(ctx, b, parts)
	if errors.Is(err, ledger.ErrLeaseLost) {
		r.Metrics.BatchDropped()
		return nil
	}
	if err != nil {
		return fmt.Errorf("batch %d: %w", b.ID, err)
	}
	r.Metrics.BatchSplit()
	batchLog(r.Log, b, e).WarnContext(ctx, "worker: a worker crashed with this batch; it is split",
		"files", b.Items(), "parts", len(parts))
	r.enqueue(ctx, parts)
	return nil
}
