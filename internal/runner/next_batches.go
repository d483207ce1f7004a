package runner

import (
	"slices"
	"time"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// fileOutcome is how one file of a batch ended.
type fileOutcome struct {
	file    *tasks.File
	outcome tasks.Outcome
	facts   map[string]any // all facts of the file after this step
	again   bool           // it is retried
}

// nextBatches decides what follows a batch. It is pure: it may be asked again, when the
// database knows more of the files.
type nextBatches struct {
	batch     *tasks.Batch
	entry     *dispatch.TransferPlan
	ends      []fileOutcome // ascending by file
	notBefore time.Time     // of the next attempt
	alone     bool          // the next attempt takes each file by itself
}

// plan moves every file of this batch on: to the next step that selects it, to a
// later attempt, or to its end. Files in foreign belong to other batches by now;
// files in rejected ended in error because the database rejected their results.
func (f *nextBatches) plan(foreign tasks.Ranges, rejected []int64) ledger.FollowUp {
	var c ledger.FollowUp
	next := make(map[int][]tasks.File)
	var again []tasks.File
	for i := range f.ends {
		e := &f.ends[i]
		if foreign.Contains(e.file.No) {
			continue
		}
		if e.again {
			again = append(again, *e.file)
			continue
		}
		outcome := e.outcome
		if slices.Contains(rejected, e.file.No) {
			outcome = tasks.OutcomeError
		}
		step := 0
		if !f.entry.Step(f.batch.Step).StopsOnFailure(outcome) {
			step = f.entry.Route(f.batch.Step, e.file, e.facts)
		}
		if step == 0 {
			c.Finished++
			continue
		}
		next[step] = append(next[step], *e.file)
	}
	steps := make([]int, 0, len(next))
	for step := range next {
		steps = append(steps, step)
	}
	slices.Sort(steps)
	for _, step := range steps {
		c.Batches = append(c.Batches, dispatch.FollowUpBatches(f.entry, step, next[step])...)
	}
	for _, b := range f.retries(again) {
		b.Attempt = f.batch.Attempt + 1
		b.NotBefore = f.notBefore
		c.Batches = append(c.Batches, b)
	}
	return c
}

// retries makes batches of files that are tried again.
func (f *nextBatches) retries(again []tasks.File) []tasks.Batch {
	if !f.alone {
		return dispatch.FollowUpBatches(f.entry, f.batch.Step, again)
	}
	policy := f.entry.Policy(f.batch.Step)
	policy.MaxItems = 1
	return dispatch.PlanBatches(f.entry, f.batch.Step, again, policy)
}
