package runner

import (
	"context"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// load reads all that the batch needs: its files in one query, the recorded results
// when it may have run before, and facts when the recipe or the handler reads them.
func (r *batchRun) load(ctx context.Context) error {
	files, err := r.store.Files(ctx, r.batch.Transfer, r.batch.Files)
	if err != nil {
		return err
	}
	if len(files) != r.batch.Items() {
		// Baler writes rows before messages, so another program wrote a message of
		// the group. The files that exist run all the same.
		r.log.WarnContext(ctx, "worker: the batch names files that were never registered",
			"named", r.batch.Items(), "registered", len(files))
	}
	if r.someCanceled {
		if r.canceledFiles, err = r.store.CanceledFiles(ctx, r.batch.Transfer, r.batch.Files); err != nil {
			return err
		}
	}
	byDigest := r.plan.Step(r.batch.Step).Reuse.By == recipe.ReuseDigest
	if byDigest || r.plan.Recipe.NeedsFacts(r.batch.Step) || r.batch.Step > 1 && !r.registration.IgnoresFacts {
		if r.facts, err = r.store.Facts(ctx, r.batch.Transfer, r.batch.Step, r.batch.Files); err != nil {
			return err
		}
	}
	if !r.redelivered && r.batch.Attempt == 1 {
		r.work = files
		return nil
	}
	recorded, err := r.store.Recorded(ctx, r.batch.Transfer, r.batch.Step, r.batch.Files)
	if err != nil {
		return err
	}
	r.dropRecorded(files, recorded)
	numbers := make([]int64, len(recorded))
	for i := range recorded {
		numbers[i] = recorded[i].File
	}
	r.options.sweepFolders(ctx, r.plan, r.batch.Step, tasks.NewRanges(numbers))
	return nil
}

// dropRecorded removes files that have a result from the work. Results of this
// batch still count for what follows it; those of another batch are the other's.
func (r *batchRun) dropRecorded(files []tasks.File, recorded []ledger.ExistingResult) {
	for i := range files {
		f := &files[i]
		if len(recorded) == 0 || recorded[0].File != f.No { // both ascend
			r.work = append(r.work, *f)
			continue
		}
		if recorded[0].Batch == r.batch.ID {
			r.known = append(r.known, fileOutcome{
				file: f, outcome: recorded[0].Outcome, facts: merge(r.facts[f.No], recorded[0].Facts),
			})
		}
		recorded = recorded[1:]
	}
}
