package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// RetryRequest chooses results to be run again.
type RetryRequest struct {
	Transfer int64
	Filter   tasks.ResultSelector
	After    int64 // files above this number
	Limit    int   // files at most

	// WasCompleted says that the transfer had completed before the first page of this
	// retry, and that no other retry runs at the same time: then no file above After is
	// being worked on, whatever the state is now.
	WasCompleted bool

	// StopsRecipe reports whether a file with this outcome at a step goes no further.
	// While the transfer runs, only such results are retried: any other file may be at
	// a later step.
	StopsRecipe func(step int, outcome tasks.Outcome) bool

	// Cut makes batches of the files that run again at a step.
	Cut func(step int, files []tasks.File) []tasks.Batch
}

// RetryPage is what one page of a retry did.
type RetryPage struct {
	Files   int64
	Ended   bool  // all files had ended: the next page may say so
	Last    int64 // number of the last file looked at; 0 when there are no more
	Batches []tasks.Batch
}

// RetryFiles retries one page of files in one transaction. It moves the first chosen
// result of each file, and its results of later steps, to the attempts, subtracts them
// from the counters, and writes batches that run the step again. A transfer that had
// ended runs again.
func (s *Store) RetryFiles(ctx context.Context, k RetryRequest) (done RetryPage, err error) {
	err = s.db.Write(ctx, "retry results", func(tx *gorm.DB, now time.Time) error {
		done = RetryPage{}
		t, err := lockTransfer(tx, k.Transfer, s.db.Dialect())
		if err != nil {
			return err
		}
		done.Ended = k.WasCompleted || t.State == tasks.StateCompleted || t.State == tasks.StateFinalizing
		firsts, err := k.firsts(tx)
		if err != nil || len(firsts) == 0 {
			return err
		}
		done.Last = firsts[len(firsts)-1].FileNo
		chosen := make(map[int64]int, len(firsts)) // file → step
		var numbers []int64
		for _, r := range firsts {
			if done.Ended || k.StopsRecipe(r.StepNo, r.End.Outcome) {
				chosen[r.FileNo] = r.StepNo
				numbers = append(numbers, r.FileNo)
			}
		}
		if len(chosen) == 0 {
			return nil
		}
		if err := k.takeBack(tx, chosen, numbers); err != nil {
			return err
		}
		if done.Batches, err = k.cut(tx, chosen, numbers); err != nil {
			return err
		}
		if err := insertBatches(tx, done.Batches, now); err != nil {
			return err
		}
		done.Files = int64(len(chosen))
		return reviveTransfer(tx, t, done.Files, now)
	})
	return done, err
}

// These make a query lock what it reads. SQLite has one writer at a time anyway.
const (
	forUpdate = " FOR UPDATE"
	forShare  = " LOCK IN SHARE MODE" // MariaDB does not know FOR SHARE
)

// lockTransfer keeps a transfer from ending while its counters are lowered.
func lockTransfer(tx *gorm.DB, id int64, dialect db.Dialect) (t transferRow, err error) {
	query := "SELECT * FROM transfers WHERE id = ?"
	if dialect == db.MySQL {
		query += forUpdate
	}
	if err := tx.Raw(query, id).Scan(&t).Error; err != nil {
		return t, fmt.Errorf("lock transfer: %w", err)
	}
	if t.ID == 0 { // it was deleted
		return t, fmt.Errorf("%w: number %d", tasks.ErrTransferNotFound, id)
	}
	return t, nil
}

// firsts finds, for the next files, the earliest step with a chosen result.
func (k *RetryRequest) firsts(tx *gorm.DB) ([]resultRecord, error) {
	from, err := chooseSource(tx, k.Transfer, k.Filter)
	if err != nil || len(from.steps) == 0 {
		return nil, err
	}
	inner := from.keys(tx).Select("file_no, MIN(step_no) AS step_no").
		Where("transfer_id = ? AND step_no IN ? AND file_no > ?", k.Transfer, from.steps, k.After).
		Group("file_no").Order("file_no").Limit(k.Limit)
	var rows []resultRecord
	err = tx.Select("results.*").
		Joins("JOIN (?) f ON f.file_no = results.file_no AND f.step_no = results.step_no", inner).
		Where("results.transfer_id = ?", k.Transfer).Order("results.file_no").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("choose results: %w", err)
	}
	return rows, nil
}

// takeBack moves the chosen results, and those of later steps, to the attempts.
func (k *RetryRequest) takeBack(tx *gorm.DB, chosen map[int64]int, numbers []int64) error {
	var rows []resultRecord
	q := db.WhereInRanges(tx.Where("transfer_id = ?", k.Transfer), "file_no", tasks.NewRanges(numbers))
	if err := q.Order("step_no, file_no").Find(&rows).Error; err != nil {
		return fmt.Errorf("read results: %w", err)
	}
	var history []attemptRow
	tally := make(map[int]*stepDelta)
	gone := make(map[int][]int64) // step → files
	for i := range rows {
		r := &rows[i]
		first := chosen[r.FileNo]
		if r.StepNo < first {
			continue
		}
		history = append(history, attemptRow{TransferID: r.TransferID, StepNo: r.StepNo, FileNo: r.FileNo, End: r.End})
		gone[r.StepNo] = append(gone[r.StepNo], r.FileNo)
		if tally[r.StepNo] == nil {
			tally[r.StepNo] = new(stepDelta)
		}
		tally[r.StepNo].counts.Add(r.End.Outcome, -1)
		if r.ReusedFrom != nil {
			tally[r.StepNo].reused--
		}
		if r.StepNo > first {
			tally[r.StepNo].selected-- // it is routed there again, or elsewhere
		}
	}
	if err := db.InsertBySize(tx, history, func(r *attemptRow) int { return r.End.size() }); err != nil {
		return fmt.Errorf("keep attempts: %w", err)
	}
	q = db.WhereInRanges(tx.Where("transfer_id = ?", k.Transfer), "file_no", tasks.NewRanges(numbers))
	if err := q.Delete(&canceledFile{}).Error; err != nil { // who retries a canceled file wants it to run
		return fmt.Errorf("take back cancellations: %w", err)
	}
	for _, no := range sortedKeys(gone) {
		q := db.WhereInRanges(tx.Where("transfer_id = ? AND step_no = ?", k.Transfer, no), "file_no", tasks.NewRanges(gone[no]))
		if err := q.Delete(&resultRecord{}).Error; err != nil {
			return fmt.Errorf("take back results: %w", err)
		}
		q = db.WhereInRanges(tx.Where("transfer_id = ? AND step_no = ?", k.Transfer, no), "file_no", tasks.NewRanges(gone[no]))
		if err := q.Delete(&failureRow{}).Error; err != nil {
			return fmt.Errorf("take back failures: %w", err)
		}
		if err := addToStep(tx, stepKey{k.Transfer, no}, tally[no]); err != nil {
			return err
		}
		if err := forgetSeen(tx, k.Transfer, no); err != nil {
			return err
		}
	}
	return nil
}

func (k *RetryRequest) cut(tx *gorm.DB, chosen map[int64]int, numbers []int64) ([]tasks.Batch, error) {
	var rows []fileRow
	q := db.WhereInRanges(tx.Where("transfer_id = ?", k.Transfer), "no", tasks.NewRanges(numbers))
	if err := q.Order("no").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	if len(rows) < len(numbers) {
		return nil, fmt.Errorf("%d of %s with results, but without a row in files: restore the database; nothing is retried",
			len(numbers)-len(rows), english.Plural(len(numbers), "file", ""))
	}
	byStep := make(map[int][]tasks.File)
	for i := range rows {
		step := chosen[rows[i].No]
		byStep[step] = append(byStep[step], rows[i].file())
	}
	var batches []tasks.Batch
	for _, step := range sortedKeys(byStep) {
		batches = append(batches, k.Cut(step, byStep[step])...)
	}
	return batches, nil
}

// reviveTransfer subtracts files that had finished, and sets a transfer that had ended
// to running.
func reviveTransfer(tx *gorm.DB, t transferRow, files int64, now time.Time) error {
	state, ended, failing := t.State, t.EndedAt, t.Failing
	if state.Ended() {
		failing = false // it ends again, and may fail again
		if err := askAgain(tx, t.ID); err != nil {
			return err
		}
	}
	if state.Ended() || state == tasks.StateFinalizing {
		state, ended = tasks.StateRunning, nil
		if err := stopFinalizing(tx, t, tasks.FinalizeWaiting); err != nil { // they run when its last file has ended again
			return err
		}
	}
	if err := markStale(tx, t.RunKey); err != nil {
		return err
	}
	// A deadline that has passed would end it again at once.
	forget := "UPDATE transfers SET deadline_at = NULL, deadline_exceeded = ? WHERE id = ? AND deadline_at <= ?"
	if err := tx.Exec(forget, false, t.ID, now).Error; err != nil {
		return fmt.Errorf("forget the deadline: %w", err)
	}
	if err := tx.Exec("UPDATE transfers SET finished = finished - ?, state = ?, ended_at = ?, failing = ?, moved_at = ?, stalled = ? "+
		"WHERE id = ?",
		files, state, ended, failing, now, false, t.ID).Error; err != nil {
		return fmt.Errorf("take back finished files: %w", err)
	}
	return nil
}
