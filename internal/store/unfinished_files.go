package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// unfinishedFiles are the files of a transfer that have not ended: those of its batches,
// which are bounded by the window of the dispatcher, and those that no batch has had yet.
type unfinishedFiles struct {
	transfer transferRow
	batches  []tasks.Batch
}

// unfinishedFiles reads them; nil when the transfer has ended.
func (s *Store) unfinishedFiles(ctx context.Context, transfer int64) (*unfinishedFiles, error) {
	u := new(unfinishedFiles)
	// The cursor first: a file that gets into a batch meanwhile is there twice, not missing.
	if err := s.db.Session(ctx).Take(&u.transfer, transfer).Error; err != nil {
		return nil, fmt.Errorf("read transfer: %w", err)
	}
	if u.transfer.State.Ended() {
		return nil, nil //nolint:nilnil // no file is unfinished
	}
	var err error
	u.batches, err = s.OpenBatches(ctx, transfer)
	return u, err
}

// choose returns the numbers of those that a filter selects, ascending.
func (u *unfinishedFiles) choose(ctx context.Context, s *Store, f tasks.ResultSelector) ([]int64, error) {
	byResult := len(f.Outcomes) > 0 || f.Code != "" || f.Message != "" || f.Exactly
	step := f.Step
	if byResult {
		step = 0 // it is that of the result
	}
	batched := u.batched(step)
	chosen := slices.Collect(batched.All())
	if f.File > 0 || f.Parent > 0 {
		named := []int64{f.File}
		if f.File == 0 {
			var err error
			if named, err = s.madeFrom(ctx, u.transfer.ID, f.Parent); err != nil {
				return nil, err
			}
		}
		fresh, err := u.fresh(ctx, s, step > 0 || byResult, named)
		if err != nil {
			return nil, err
		}
		chosen = slices.DeleteFunc(named, func(no int64) bool { return !batched.Contains(no) && !fresh.Contains(no) })
		slices.Sort(chosen)
	}
	if !byResult {
		return chosen, nil
	}
	return u.withResult(ctx, s, f, tasks.NewRanges(chosen))
}

// batched are the files of the batches at a step; 0: at every step.
func (u *unfinishedFiles) batched(step int) tasks.Ranges {
	var numbers []int64
	for i := range u.batches {
		if step == 0 || u.batches[i].Step == step {
			numbers = slices.AppendSeq(numbers, u.batches[i].Files.All())
		}
	}
	return tasks.NewRanges(numbers)
}

// fresh are those of the files that no batch has had; none when began is set, since these
// are at no step and have no result.
func (u *unfinishedFiles) fresh(ctx context.Context, s *Store, began bool, files []int64) (tasks.Ranges, error) {
	if began {
		return nil, nil
	}
	files = slices.DeleteFunc(slices.Clone(files), func(no int64) bool {
		return no > u.transfer.Files || u.transfer.Via != tasks.ViaGroup && no <= u.transfer.Dispatched
	})
	if u.transfer.Via != tasks.ViaGroup || len(files) == 0 {
		return tasks.NewRanges(files), nil
	}
	// No cursor says which of them workers have gathered into batches.
	steps, err := s.stepNumbers(ctx, u.transfer.ID)
	if err != nil {
		return nil, err
	}
	var ran []int64
	q := s.db.Session(ctx).Model(&resultRecord{}).Where("transfer_id = ? AND step_no IN ?", u.transfer.ID, steps)
	if err := db.WhereInRanges(q, "file_no", tasks.NewRanges(files)).Distinct().Pluck("file_no", &ran).Error; err != nil {
		return nil, fmt.Errorf("look for results of files: %w", err)
	}
	return tasks.NewRanges(slices.DeleteFunc(files, func(no int64) bool { return slices.Contains(ran, no) })), nil
}

// madeFrom lists the files that were emitted from another, ascending.
func (s *Store) madeFrom(ctx context.Context, transfer, parent int64) (numbers []int64, err error) {
	err = s.db.Session(ctx).Model(&emittedRow{}).Where("transfer_id = ? AND parent_no = ? AND file_no IS NOT NULL", transfer, parent).
		Order("file_no").Pluck("file_no", &numbers).Error
	if err != nil {
		return nil, fmt.Errorf("list files that were made of one: %w", err)
	}
	return numbers, nil
}

// withResult keeps those files of which a result, or the last failed attempt, is selected.
func (u *unfinishedFiles) withResult(ctx context.Context, s *Store, f tasks.ResultSelector, files tasks.Ranges) ([]int64, error) {
	chosen, err := u.again(ctx, s, f, files)
	if err != nil {
		return nil, err
	}
	from, err := chooseSource(s.db.Session(ctx), u.transfer.ID, f)
	if err != nil {
		return nil, err
	}
	if len(from.steps) > 0 {
		for page := range slices.Chunk(slices.Collect(files.All()), cancelPage) {
			var numbers []int64
			q := from.keys(s.db.Session(ctx)).Where("k.transfer_id = ? AND k.step_no IN ?", u.transfer.ID, from.steps)
			q = db.WhereInRanges(q, "k.file_no", tasks.NewRanges(page))
			if err := q.Distinct().Pluck("k.file_no", &numbers).Error; err != nil {
				return nil, fmt.Errorf("choose results: %w", err)
			}
			chosen = append(chosen, numbers...)
		}
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), nil
}

// again lists those files that wait for another attempt after one that the filter selects.
func (u *unfinishedFiles) again(ctx context.Context, s *Store, f tasks.ResultSelector, files tasks.Ranges) (chosen []int64, err error) {
	for i := range u.batches {
		b := &u.batches[i]
		if b.Attempt < 2 || f.Step > 0 && f.Step != b.Step {
			continue
		}
		var rows []attemptRow
		q := s.db.Session(ctx).Select("file_no", "outcome", "code", "error", "exit_code").
			Where("transfer_id = ? AND step_no = ? AND attempt = ?", u.transfer.ID, b.Step, b.Attempt-1)
		if err := db.WhereInRanges(q, "file_no", b.Files).Order("id").Find(&rows).Error; err != nil {
			return nil, fmt.Errorf("read the last attempts: %w", err)
		}
		selected := make(map[int64]bool, len(rows))
		for j := range rows { // a file that was retried before has several with this number: the last counts
			selected[rows[j].FileNo] = rows[j].End.selectedBy(&f)
		}
		for no, is := range selected {
			if is && files.Contains(no) {
				chosen = append(chosen, no)
			}
		}
	}
	return chosen, nil
}

// selectedBy reports whether a failed attempt is one that the filter selects.
func (c *outcomeColumns) selectedBy(f *tasks.ResultSelector) bool {
	return (len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, c.Outcome)) &&
		(c.Code == f.Code || f.Code == "" && !f.Exactly) &&
		(f.Message == "" && !f.Exactly || tasks.FailureMessage(c.Error, c.ExitCode) == f.Message)
}
